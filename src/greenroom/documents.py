"""The JSON documents of a registry: their bytes, their digest, and how they are checked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import msgspec

from greenroom.errors import Corrupted, InvalidInput
from greenroom.layout import FORMAT


class Document(Protocol):
    """What every document holds: its format and the random id of the write that made it."""

    @property
    def format(self) -> int:
        """The format of the registry that it was written for."""

    @property
    def operation(self) -> str:
        """The random id of the write that made it."""


T = TypeVar("T")
D = TypeVar("D", bound=Document)


@dataclass(frozen=True)
class Stored(Generic[T]):
    """A document as it lies in the registry: its number, the sha256 of its bytes, what it says."""

    number: int
    digest: str
    body: T


class Stamp(msgspec.Struct, frozen=True):
    """Who writes a document, when (UTC, ISO 8601), and the random id of the write."""

    by: str
    at: str
    operation: str


class _Format(msgspec.Struct):
    format: int


def sha256(data: bytes) -> str:
    """Return the sha256 of some bytes in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def encode(body: object) -> bytes:
    """Return a document's bytes: UTF-8 JSON, indented, with a final line break."""
    return msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n"


def decode(data: bytes, kind: type[T], key: str) -> T:
    """Read a document, ignoring fields this program does not know.

    Raises Corrupted, naming `key`, for bytes that are cut, malformed, or of a newer format.
    """
    try:
        found = msgspec.json.decode(data, type=_Format).format
        if found > FORMAT:
            raise Corrupted(f"{key} has format {found}; this Greenroom reads {FORMAT}: upgrade it")
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Corrupted(f"{key} cannot be read: {error}") from error


def store_as(number: int, body: D) -> tuple[Stored[D], bytes]:
    """Return a document as it will lie in the registry, and its bytes.

    Raises InvalidInput for what could not be read back, such as a metric that is no number:
    nothing written is ever changed, so it would be in the way for good.
    """
    try:
        data = encode(body)
        msgspec.json.decode(data, type=type(body))
    except (TypeError, ValueError, OverflowError, msgspec.MsgspecError) as error:
        what = type(body).__name__.lower()
        raise InvalidInput(f"this {what} cannot be stored as JSON: {error}") from error
    return Stored(number, sha256(data), body), data
