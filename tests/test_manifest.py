from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from greenroom.errors import Corrupted, InvalidInput, NotFound
from greenroom.manifest import (
    MODEL,
    File,
    Lineage,
    Manifest,
    Version,
    attachment_path,
    check_files,
    says_the_same,
)

DIGEST = "0" * 64

unsafe = ["", "/x", "../x", "a/../../x", "a/..", "./x", "a//b", "a/", "a\\b", "C:x", "a\0b"]


@pytest.mark.parametrize("path", ["model.onnx", "attachments/my plot é.png", ".hidden", "a..b/c"])
def test_a_path_below_the_bundle_is_safe(manifest: Manifest, path: str) -> None:
    safe = replace(manifest, files=(File(path, 1, DIGEST),))
    assert check_files(safe) is safe


@pytest.mark.parametrize("path", unsafe)
def test_a_path_out_of_the_bundle_is_refused_whoever_wrote_the_manifest(
    manifest: Manifest, path: str
) -> None:
    with pytest.raises(Corrupted, match="names a file outside its bundle"):
        check_files(replace(manifest, files=(*manifest.files, File(path, 1, DIGEST))))


@pytest.mark.parametrize(
    ("size", "digest"), [(-1, DIGEST), (1, "../" + DIGEST[3:]), (1, "A" * 64), (1, DIGEST + "\n")]
)
def test_a_digest_or_size_that_cannot_be_is_refused(
    manifest: Manifest, size: int, digest: str
) -> None:
    with pytest.raises(Corrupted, match=r"'model.onnx' a malformed digest or size"):
        check_files(replace(manifest, files=(File(MODEL, size, digest),)))


def test_a_file_that_is_named_twice_is_refused(manifest: Manifest) -> None:
    twice = (File(MODEL, 1, DIGEST), File(MODEL, 2, "1" * 64))
    with pytest.raises(Corrupted, match="names a file twice"):
        check_files(replace(manifest, files=twice))


def test_a_file_is_found_by_its_path(manifest: Manifest) -> None:
    assert manifest.file(MODEL) == File(MODEL, 34, "f" * 64)
    with pytest.raises(NotFound, match=r"no file model\.pkl"):
        manifest.file("model.pkl")


def test_an_attachment_lies_in_a_folder_of_its_own() -> None:
    assert attachment_path("model.onnx") == "attachments/model.onnx"


@pytest.mark.parametrize("name", [*unsafe, "a/b", "..", "."])
def test_an_attachment_is_named_by_a_plain_file_name(name: str) -> None:
    with pytest.raises(InvalidInput, match="give a plain file name"):
        attachment_path(name)


@pytest.mark.parametrize(
    "change",
    [
        {"by": "bob"},
        {"at": "2027-01-01T00:00:00+00:00"},
        {"operation": "1" * 32},
        {"lineage": Lineage(None, None, None, None, "3.14.0", {})},
    ],
    ids=lambda change: next(iter(change)),
)
def test_who_pushed_it_when_and_where_makes_no_other_version(
    manifest: Manifest, change: dict[str, Any]
) -> None:
    assert says_the_same(manifest, replace(manifest, **change))


def test_the_order_of_files_makes_no_other_version(manifest: Manifest) -> None:
    assert says_the_same(manifest, replace(manifest, files=manifest.files[::-1]))


@pytest.mark.parametrize(
    "change",
    [
        {"model": "lump"},
        {"files": (File(MODEL, 34, DIGEST),)},
        {"metrics": {"roc_auc": 0.97}},
        {"parameters": {}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_files_metrics_or_parameters_make_another_version(
    manifest: Manifest, change: dict[str, Any]
) -> None:
    assert not says_the_same(manifest, replace(manifest, **change))


def test_a_version_is_told_as_its_model_and_number(version: Version) -> None:
    assert str(version) == "tumour@3"
