from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace

from greenroom import bundle
from greenroom.errors import Corrupted, InvalidInput, NotFound
from greenroom.examples import Answers, Examples
from greenroom.layout import blob
from greenroom.manifest import EXAMPLES, MODEL, File, Manifest, Version
from greenroom.store import LocalStore, Store

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = Examples([[1.0, 2.0]], Answers(["benign"], [[0.75, 0.25]]))
CONTENTS = {
    MODEL: b"model" * 500_000,  # more than one piece
    EXAMPLES: msgspec.json.encode(ROWS),
    "attachments/note.txt": b"",
}


def described(manifest: Manifest, contents: dict[str, bytes] = CONTENTS) -> Version:
    return Version(3, "a" * 64, replace(manifest, files=bundle.describe(contents)))


def spoil(store: LocalStore, path: str, data: bytes | None) -> None:
    """Put other bytes in the place of a file's, or take them away."""
    [file] = bundle.describe({path: CONTENTS[path]})
    stored = Path(store.location, blob(file.sha256))
    if data is None:
        stored.unlink()
    else:
        stored.write_bytes(data)


spoilt = pytest.mark.parametrize(
    ("data", "problem"),
    [
        (CONTENTS[MODEL][:-1] + b"L", "do not have the digest in the manifest"),
        (CONTENTS[MODEL][:-1], "do not have the digest in the manifest"),
        (CONTENTS[MODEL] + b"l", "do not have the digest in the manifest"),
        (b"", "do not have the digest in the manifest"),
        (None, "are not in the registry"),
    ],
    ids=["altered", "cut", "longer", "empty", "missing"],
)


@pytest.fixture
def local(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def test_files_are_described_in_one_order_whatever_order_they_come_in() -> None:
    assert bundle.describe({"b": b"", "a": b"1"}) == bundle.describe({"a": b"1", "b": b""})
    assert bundle.describe({"a": b"1"}) == (
        File("a", 1, "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"),
    )


def test_what_was_uploaded_is_fetched(store: Store, manifest: Manifest) -> None:
    bundle.upload(store, CONTENTS)
    version = described(manifest)
    assert bundle.fetch(store, version) == bundle.VerifiedBundle(version, CONTENTS[MODEL], ROWS)


def test_what_was_uploaded_is_downloaded(store: Store, manifest: Manifest, tmp_path: Path) -> None:
    bundle.upload(store, CONTENTS)
    target = tmp_path / "new" / "directory"
    bundle.download(store, described(manifest).manifest, target)
    files = {path: (target / path).read_bytes() for path in CONTENTS}
    assert files == CONTENTS
    assert len([path for path in target.rglob("*") if path.is_file()]) == len(CONTENTS)


def test_equal_files_are_stored_once_and_not_sent_again(local: LocalStore) -> None:
    told: list[tuple[int, int]] = []
    bundle.upload(local, {"a": b"same", "b": b"same"}, lambda *news: told.append(news))
    [key] = local.keys("")
    stored = Path(local.location, key).stat()
    bundle.upload(local, {"c": b"same"})
    assert Path(local.location, key).stat().st_ino == stored.st_ino
    assert told == [(4, 8), (8, 8)]


def test_a_file_that_was_cut_short_is_sent_again(local: LocalStore, manifest: Manifest) -> None:
    bundle.upload(local, CONTENTS)
    spoil(local, MODEL, b"cut")
    bundle.upload(local, CONTENTS)
    assert bundle.fetch(local, described(manifest)).model == CONTENTS[MODEL]


@spoilt
def test_bytes_without_the_manifests_digest_are_never_served(
    local: LocalStore, manifest: Manifest, data: bytes | None, problem: str
) -> None:
    bundle.upload(local, CONTENTS)
    spoil(local, MODEL, data)
    with pytest.raises(Corrupted, match=rf"the bytes of model\.onnx {problem}"):
        bundle.fetch(local, described(manifest))


@pytest.mark.parametrize("size", [0, 3, 5])
def test_a_size_that_is_not_the_files_is_corrupted(local: LocalStore, size: int) -> None:
    bundle.upload(local, {"a": b"four"})
    [file] = bundle.describe({"a": b"four"})
    assert bundle.read(local, file) == b"four"
    with pytest.raises(Corrupted, match="the bytes of a do not have the digest"):
        bundle.read(local, replace(file, size=size))


class Swollen(LocalStore):
    """A store that gives more than was stored."""

    def chunks(self, key: str) -> Iterator[bytes]:
        yield self.read(key)
        yield b"more"
        raise AssertionError("what is too long is read to its end")


def test_what_is_longer_than_it_should_be_is_not_read_to_its_end(tmp_path: Path) -> None:
    store = Swollen(tmp_path)
    bundle.upload(store, {"a": b"four"})
    with pytest.raises(Corrupted):
        bundle.read(store, *bundle.describe({"a": b"four"}))


@spoilt
def test_bytes_without_the_manifests_digest_are_not_left_in_a_directory(
    local: LocalStore, manifest: Manifest, tmp_path: Path, data: bytes | None, problem: str
) -> None:
    bundle.upload(local, CONTENTS)
    spoil(local, MODEL, data)
    with pytest.raises(Corrupted, match=rf"the bytes of model\.onnx {problem}"):
        bundle.download(local, described(manifest).manifest, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_directory_that_exists_is_not_written_to(
    local: LocalStore, manifest: Manifest, tmp_path: Path
) -> None:
    bundle.upload(local, CONTENTS)
    (tmp_path / MODEL).write_bytes(b"somebody's work")
    with pytest.raises(InvalidInput, match="name a directory that does not exist yet"):
        bundle.download(local, described(manifest).manifest, tmp_path)
    assert (tmp_path / MODEL).read_bytes() == b"somebody's work"


def test_a_manifest_cannot_make_a_download_write_elsewhere(
    local: LocalStore, manifest: Manifest, tmp_path: Path
) -> None:
    bundle.upload(local, {"evil": b"evil"})
    [file] = bundle.describe({"../evil": b"evil"})
    with pytest.raises(Corrupted, match="outside its bundle"):
        bundle.download(local, replace(manifest, files=(file,)), tmp_path / "new")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("left_out", [MODEL, EXAMPLES])
def test_a_version_without_a_model_or_examples_is_not_served(
    local: LocalStore, manifest: Manifest, left_out: str
) -> None:
    bundle.upload(local, CONTENTS)
    contents = {path: data for path, data in CONTENTS.items() if path != left_out}
    with pytest.raises(NotFound, match=left_out):
        bundle.fetch(local, described(manifest, contents))


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b'{"rows": [["a"]]}',
        b'{"rows"',
        b'{"rows": [], "answers": {"predictions": ["\xff"]}}',
    ],
)
def test_examples_that_do_not_read_are_corrupted(
    local: LocalStore, manifest: Manifest, data: bytes
) -> None:
    contents = CONTENTS | {EXAMPLES: data}
    bundle.upload(local, contents)
    with pytest.raises(Corrupted, match="the examples of tumour@3 cannot be read"):
        bundle.fetch(local, described(manifest, contents))
