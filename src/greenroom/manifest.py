"""The manifest of a version: its files, schema, lineage and metrics."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeAlias

import msgspec

from greenroom.errors import Corrupted, InvalidInput, NotFound
from greenroom.layout import FORMAT
from greenroom.schema import Schema  # noqa: TC001  # msgspec reads the types

Parameter: TypeAlias = str | int | float | bool | None

MODEL = "model.onnx"
EXAMPLES = "examples.json"
ATTACHMENTS = "attachments/"

_DIGEST = re.compile(r"[0-9a-f]{64}")


class File(msgspec.Struct, frozen=True):
    """One file of a bundle: its path inside, its size in bytes and its sha256 in hex."""

    path: str
    size: int
    sha256: str


class Parity(msgspec.Struct, frozen=True):
    """How well the served form agrees with its author's model on the examples."""

    rows: int
    tolerance: float
    largest_difference: float


class Lineage(msgspec.Struct, frozen=True):
    """Where a version comes from; None means that it could not be known."""

    estimator: str | None
    git_commit: str | None
    git_dirty: bool | None
    data_sha256: str | None
    python: str
    packages: dict[str, str]


class Manifest(msgspec.Struct, frozen=True):
    """Everything that is known of a version. The sha256 of its bytes is the version's digest."""

    model: str
    files: tuple[File, ...]
    schema: Schema
    parity: Parity
    lineage: Lineage
    parameters: dict[str, Parameter]
    metrics: dict[str, float]
    by: str
    at: str
    operation: str
    format: int = FORMAT

    def file(self, path: str) -> File:
        """Return the file at `path`, or raise NotFound."""
        found = next((file for file in self.files if file.path == path), None)
        if found is None:
            raise NotFound(f"this version has no file {path}")
        return found


@dataclass(frozen=True)
class Version:
    """An immutable numbered snapshot of a model."""

    number: int
    digest: str
    manifest: Manifest

    def __str__(self) -> str:
        return f"{self.manifest.model}@{self.number}"


def says_the_same(one: Manifest, other: Manifest) -> bool:
    """Tell whether two manifests differ only in who pushed them, when and from where."""
    return _content(one) == _content(other)


def _content(manifest: Manifest) -> tuple[object, ...]:
    files = frozenset(manifest.files)
    return files, manifest.schema, manifest.parameters, manifest.metrics, manifest.model


def check_files(manifest: Manifest) -> Manifest:
    """Return a manifest whose files are safe to write below a directory, or raise Corrupted."""
    for file in manifest.files:
        if not _is_safe_path(file.path):
            raise Corrupted(f"the manifest names a file outside its bundle: {file.path!r}")
        if not _DIGEST.fullmatch(file.sha256) or file.size < 0:
            raise Corrupted(f"the manifest gives {file.path!r} a malformed digest or size")
    if len({file.path for file in manifest.files}) != len(manifest.files):
        raise Corrupted("the manifest names a file twice")
    return manifest


def attachment_path(name: str) -> str:
    """Return where an attachment lies in the bundle, or raise InvalidInput for an unsafe name."""
    path = ATTACHMENTS + name
    if "/" in name or not _is_safe_path(path):
        raise InvalidInput(f"{name!r} cannot name an attachment: give a plain file name")
    return path


def _is_safe_path(path: str) -> bool:
    parts = path.split("/")
    plain = path.isprintable() and "\\" not in path and ":" not in path
    return plain and not PurePosixPath(path).is_absolute() and not {"", ".", ".."} & set(parts)
