"""A version's files on their way between a store and here, each verified by its digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec

from greenroom import layout
from greenroom.documents import sha256
from greenroom.errors import Corrupted, InvalidInput, NotFound
from greenroom.examples import Examples
from greenroom.manifest import EXAMPLES, MODEL, File, Manifest, Version, check_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from greenroom.store import Store


@dataclass(frozen=True)
class VerifiedBundle:
    """What serving a version needs. Only `fetch` makes one, from bytes that it has checked."""

    version: Version
    model: bytes
    examples: Examples


def describe(contents: Mapping[str, bytes]) -> tuple[File, ...]:
    """Return the manifest's entries for some files, given as path → bytes."""
    return tuple(
        File(path=path, size=len(data), sha256=sha256(data))
        for path, data in sorted(contents.items())
    )


def upload(
    store: Store, contents: Mapping[str, bytes], progress: Callable[[int, int], None] | None = None
) -> None:
    """Store files that are not in the store yet; `progress` is told bytes done and in all."""
    done, total = 0, sum(map(len, contents.values()))
    with TemporaryDirectory(prefix="greenroom-") as directory:
        for data in contents.values():
            key = layout.blob(sha256(data))
            if store.size(key) != len(data):
                path = Path(directory, "blob")
                path.write_bytes(data)
                store.upload(key, path)
            done += len(data)
            if progress:
                progress(done, total)


def fetch(store: Store, version: Version) -> VerifiedBundle:
    """Read what serving needs into memory; raises Corrupted unless every digest is right."""
    manifest = check_files(version.manifest)
    model = read(store, manifest.file(MODEL))
    data = read(store, manifest.file(EXAMPLES))
    try:
        examples = msgspec.json.decode(data, type=Examples)
    except ValueError as error:  # msgspec's own, and bytes that are no UTF-8
        raise Corrupted(f"the examples of {version} cannot be read: {error}") from error
    return VerifiedBundle(version, model, examples)


def read(store: Store, file: File) -> bytes:
    """Return one file's bytes, or raise Corrupted unless they have its size and digest."""
    return b"".join(_verified_chunks(store, file))


def download(store: Store, manifest: Manifest, directory: Path) -> None:
    """Write a bundle's files below a new directory, or none; a wrong digest raises Corrupted."""
    check_files(manifest)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=directory.parent, prefix=".greenroom-") as aside:
            for file in manifest.files:
                _write(Path(aside, "bundle", file.path), _verified_chunks(store, file))
            directory.mkdir()  # a rename would take over a directory that is there and empty
            Path(aside, "bundle").rename(directory)
    except OSError as error:
        why = f"{error.strerror}; name a directory that does not exist yet"
        raise InvalidInput(f"{directory} cannot be written: {why}") from error


def _write(path: Path, chunks: Iterator[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as target:
        target.writelines(chunks)


def _verified_chunks(store: Store, file: File) -> Iterator[bytes]:
    digest, left = hashlib.sha256(), file.size
    try:
        for chunk in store.chunks(layout.blob(file.sha256)):
            digest.update(chunk)
            left -= len(chunk)
            if left < 0:
                break
            yield chunk
    except NotFound as error:
        raise Corrupted(f"the bytes of {file.path} are not in the registry") from error
    if left or digest.hexdigest() != file.sha256:
        raise Corrupted(f"the bytes of {file.path} do not have the digest in the manifest")
