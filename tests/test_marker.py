from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from obstore.store import MemoryStore

from greenroom import marker
from greenroom.errors import Corrupted, NotFound, Refused
from greenroom.layout import MARKER
from greenroom.store import BucketStore, LocalStore, Store

if TYPE_CHECKING:
    from pathlib import Path


class Careless(BucketStore):
    """A store that ignores the condition, as some that look like S3 do."""

    def __init__(self) -> None:
        super().__init__(MemoryStore(), "memory://careless")

    def create(self, key: str, data: bytes) -> bool:
        self.delete(key)
        return super().create(key, data)


class Overtaken(BucketStore):
    """A store where another writer begins and fills the registry while we look."""

    def __init__(self) -> None:
        super().__init__(MemoryStore(), "memory://overtaken")

    def read(self, key: str) -> bytes:
        try:
            return super().read(key)
        finally:
            self.create(MARKER, b'{"format": 1}')
            self.create("models/tumour/versions/00000001.json", b"{}")


def test_an_empty_place_becomes_a_registry_and_stays_one(store: Store) -> None:
    marker.ensure(store)
    marker.ensure(store)
    marker.check(store)
    assert store.read(MARKER) == b'{\n  "format": 1\n}\n'
    assert store.keys("") == [MARKER]


def test_an_empty_place_is_no_registry_and_looking_does_not_make_it_one(store: Store) -> None:
    with pytest.raises(NotFound, match=r"is not a registry: it has no greenroom\.json"):
        marker.check(store)
    assert store.keys("") == []


def test_a_place_with_other_things_in_it_is_refused_and_left_as_it_was(store: Store) -> None:
    store.create("thesis/chapter-1.txt", b"")
    with pytest.raises(Refused, match=r"not empty \(it holds thesis/chapter-1\.txt\)"):
        marker.ensure(store)
    assert store.keys("") == ["thesis/chapter-1.txt"]


def test_a_registry_that_a_crash_left_half_made_is_completed(store: Store) -> None:
    store.create(MARKER, b'{"format": 1}')
    marker.ensure(store)
    marker.check(store)


def test_what_a_crash_left_beside_the_registry_does_not_stop_it(tmp_path: Path) -> None:
    (tmp_path / ".tmp-0123456789abcdef").write_bytes(b"cut sho")
    marker.ensure(LocalStore(tmp_path))
    marker.check(LocalStore(tmp_path))


def test_two_writers_may_begin_a_registry_at_once() -> None:
    store = Overtaken()
    marker.ensure(store)
    marker.check(store)


def test_a_store_that_replaces_what_was_created_is_refused_and_left_as_it_was() -> None:
    store = Careless()
    with pytest.raises(Refused, match="use a store that honours If-None-Match"):
        marker.ensure(store)
    assert store.keys("") == []


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "cannot be read"),
        (b"{}", "cannot be read"),
        (b'{"format": 2}', "has format 2; this Greenroom reads 1: upgrade it"),
    ],
)
def test_a_registry_that_this_program_cannot_read_is_not_touched(
    store: Store, data: bytes, problem: str
) -> None:
    store.create(MARKER, data)
    with pytest.raises(Corrupted, match=f"greenroom.json in {store.location} {problem}"):
        marker.ensure(store)
    assert store.read(MARKER) == data
