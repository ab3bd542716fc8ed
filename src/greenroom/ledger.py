"""Numbered documents in a store's folder: read in order, and appended exactly once.

Creating document n claims the number n. A store may say "already there" for a write of ours
whose answer was lost, so the key is read back: our operation id means done, nothing there means
try again, another id means that somebody else has the number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from greenroom import layout
from greenroom.documents import Document, Stored, decode, sha256, store_as
from greenroom.errors import NotFound, OutcomeUnknown, StoreUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greenroom.store import Store

T = TypeVar("T")
D = TypeVar("D", bound=Document)

_TRIES = 5
_PAGE = 1000  # keys that every store lists with one request


class _Operation(msgspec.Struct):
    operation: str
    format: int


def numbers(store: Store, folder: str, after: int = 0) -> list[int]:
    """Return the numbers of a folder's documents past `after`, ascending, with one listing."""
    start = layout.numbered(folder, after) if after else ""
    return [number for number in _numbers_in(store.keys(folder, start)) if number > after]


def first_numbers(store: Store, folder: str) -> tuple[list[int], bool]:
    """Return a folder's first numbers, ascending, and whether they are all, up to 1,000."""
    keys = store.keys(folder, limit=_PAGE + 1)
    return _numbers_in(keys), len(keys) <= _PAGE


def last(store: Store, folder: str) -> int:
    """Return a folder's last number, or 0, with few requests however many there are."""
    found, are_all = first_numbers(store, folder)
    known = max(found, default=0)
    return known if are_all else search(store, folder, known)


def search(store: Store, folder: str, known: int) -> int:
    """Return the last number from `known` on, given that numbers have no gap: leap, then halve."""
    present, absent = known, max(2 * known, 1)
    while _is_there(store, folder, absent):
        present, absent = absent, 2 * absent
    while absent - present > 1:
        middle = (present + absent) // 2
        if _is_there(store, folder, middle):
            present = middle
        else:
            absent = middle
    return present


def _is_there(store: Store, folder: str, number: int) -> bool:
    return store.size(layout.numbered(folder, number)) is not None


def _numbers_in(keys: Iterable[str]) -> list[int]:
    found = {layout.number_of(key) for key in keys}
    return sorted(number for number in found if number)


def read(store: Store, folder: str, number: int, kind: type[T]) -> Stored[T]:
    """Return one document; raises NotFound or Corrupted."""
    key = layout.numbered(folder, number)
    data = store.read(key)
    return Stored(number, sha256(data), decode(data, kind, key))


def read_all(store: Store, folder: str, kind: type[T], after: int = 0) -> list[Stored[T]]:
    """Return a folder's documents past `after`, ascending."""
    return [read(store, folder, number, kind) for number in numbers(store, folder, after)]


def append(store: Store, folder: str, body: D) -> Stored[D]:
    """Store a document at the folder's next free number; raises OutcomeUnknown."""
    number = last(store, folder) + 1
    while (stored := claim(store, folder, number, body)) is None:
        number += 1
    return stored


def claim(store: Store, folder: str, number: int, body: D) -> Stored[D] | None:
    """Store a document at exactly this number, or return None when another has it.

    Raises OutcomeUnknown when the store will not say whether the write happened.
    """
    key = layout.numbered(folder, number)
    stored, data = store_as(number, body)
    for _ in range(_TRIES):
        if _created(store, key, data):
            return stored
        holder = _holder(store, key)
        if holder is not None:
            return stored if holder == body.operation else None
    raise OutcomeUnknown(f"it is not known whether {key} was written; run the command again")


def _created(store: Store, key: str, data: bytes) -> bool:
    try:
        return store.create(key, data)
    except StoreUnreachable:
        return False  # it may have been stored all the same: reading back tells


def _holder(store: Store, key: str) -> str | None:
    try:
        return decode(store.read(key), _Operation, key).operation
    except NotFound:
        return None
    except StoreUnreachable as error:
        unknown = f"it is not known whether {key} was written ({error}); run the command again"
        raise OutcomeUnknown(unknown) from error
