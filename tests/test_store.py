"""One contract, kept by every store, and what is particular to each."""

from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from greenroom.errors import GreenroomError, InvalidInput, NotFound, StoreRefused, StoreUnreachable
from greenroom.store import LocalStore, Store, open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WRITERS = 8

reading: list[Callable[[Store], object]] = [
    lambda store: store.read("absent/key"),
    lambda store: list(store.chunks("absent/key")),
]


def test_what_is_created_is_there(store: Store) -> None:
    assert store.create("folder/key.json", b"{}")
    assert store.read("folder/key.json") == b"{}"
    assert store.size("folder/key.json") == 2


def test_what_is_created_stays_as_it_is(store: Store) -> None:
    store.create("key", b"first")
    assert not store.create("key", b"second")
    assert store.read("key") == b"first"


def test_exactly_one_of_many_writers_creates_a_key(store: Store) -> None:
    with ThreadPoolExecutor(WRITERS) as writers:
        for key in ("a", "b/c", "b/d"):
            bodies = [f"writer {number}".encode() for number in range(WRITERS)]
            won = list(writers.map(store.create, [key] * WRITERS, bodies))
            assert won.count(True) == 1
            assert store.read(key) == bodies[won.index(True)]


@pytest.mark.parametrize("read", reading, ids=["read", "chunks"])
def test_reading_what_is_absent_names_the_key_and_the_place(
    store: Store, read: Callable[[Store], object]
) -> None:
    with pytest.raises(NotFound) as error:
        read(store)
    assert str(error.value) == f"{store.location} holds no absent/key"


def test_what_is_absent_has_no_size(store: Store) -> None:
    assert store.size("absent/key") is None


def test_a_big_file_is_stored_whole(store: Store, tmp_path: Path) -> None:
    data = os.urandom(12 << 20)
    path = tmp_path / "big"
    path.write_bytes(data)
    store.upload("blobs/big", path)
    assert b"".join(store.chunks("blobs/big")) == data
    assert store.size("blobs/big") == len(data)


@pytest.mark.parametrize("store", ["local", "s3"], indirect=True)
def test_a_big_file_is_read_in_small_pieces(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(bytes(12 << 20))
    store.upload("blobs/big", path)
    assert max(map(len, store.chunks("blobs/big"))) < 4 << 20


def test_an_upload_replaces_what_was_there(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (b"cut sho", b"cut short no more"):
        path.write_bytes(data)
        store.upload("key", path)
    assert store.read("key") == data


def test_keys_are_sorted_and_end_at_the_folder(store: Store) -> None:
    for key in ("a/2", "a/10", "a/b/1", "ab/1", "c"):
        store.create(key, b"")
    assert store.keys("a/") == ["a/10", "a/2", "a/b/1"]
    assert store.keys("") == ["a/10", "a/2", "a/b/1", "ab/1", "c"]
    assert store.keys("nothing/") == []


def test_keys_can_begin_past_one_of_them_or_past_none(store: Store) -> None:
    for number in (1, 2, 3):
        store.create(f"log/{number}", b"")
    assert store.keys("log/", after="log/1") == ["log/2", "log/3"]
    assert store.keys("log/", after="log/15") == ["log/2", "log/3"]
    assert store.keys("log/", after="log/3") == []


def test_an_empty_store_has_no_keys(store: Store) -> None:
    assert store.keys("") == []


def test_a_key_is_no_folder(store: Store) -> None:
    store.create("a", b"")
    assert store.keys("a/") == []


def test_deleting_is_final_and_may_be_repeated(store: Store) -> None:
    store.create("a/key", b"")
    store.delete("a/key")
    store.delete("a/key")
    store.delete("absent/key")
    assert store.keys("") == []


class TestLocalStore:
    """What only a directory can get wrong."""

    def test_a_failed_create_leaves_nothing_behind(self, tmp_path: Path) -> None:
        with pytest.raises(StoreRefused, match="File name too long"):
            LocalStore(tmp_path).create("k" * 300, b"{}")
        assert not list(tmp_path.iterdir())

    def test_a_lost_race_leaves_nothing_behind(self, tmp_path: Path) -> None:
        store = LocalStore(tmp_path)
        store.create("key", b"")
        store.create("key", b"")
        assert [path.name for path in tmp_path.iterdir()] == ["key"]

    def test_what_a_crash_left_behind_is_not_listed(self, tmp_path: Path) -> None:
        store = LocalStore(tmp_path)
        store.create("folder/key", b"")
        (tmp_path / "folder" / ".tmp-0123456789abcdef").write_bytes(b"cut sho")
        assert store.keys("") == ["folder/key"]

    def test_a_place_that_cannot_be_written_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"no directory")
        store = LocalStore(tmp_path / "file" / "registry")
        with pytest.raises(StoreRefused, match="check the path, its rights and the disk"):
            store.create("key", b"")
        assert store.keys("") == []

    def test_its_location_is_absolute(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        store = open_store("registry")
        monkeypatch.chdir("/")
        store.create("key", b"")
        assert store.location == str(tmp_path / "registry")
        assert (tmp_path / "registry" / "key").exists()


def test_a_file_url_is_a_directory(tmp_path: Path) -> None:
    assert open_store(f"file://{tmp_path}/my%20models").location == f"{tmp_path}/my models"


@pytest.mark.parametrize(
    "url", ["https://models.example", "ftp://models", "S3://models", "s3:models"]
)
def test_an_address_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match=url):
        open_store(url)


def test_a_misspelt_option_is_refused() -> None:
    with pytest.raises(InvalidInput, match="endpoind"):
        open_store("s3://models", {"endpoind": "http://127.0.0.1"})


def test_stores_below_one_bucket_do_not_see_each_other(
    s3_url: str, s3_options: dict[str, str]
) -> None:
    open_store(s3_url, s3_options).create("key", b"")
    assert open_store(f"{s3_url}/other", s3_options).keys("") == []
    assert open_store(s3_url.removesuffix("/models"), s3_options).keys("") == ["models/key"]


@pytest.mark.parametrize(
    "use", [lambda store: store.keys(""), lambda store: store.create("k", b"")]
)
def test_a_bucket_that_does_not_exist_is_named(
    s3_options: dict[str, str], use: Callable[[Store], object]
) -> None:
    with pytest.raises(GreenroomError, match="s3://no-such-bucket"):
        use(open_store("s3://no-such-bucket", s3_options))


@pytest.mark.timeout(30)
def test_an_address_where_nothing_listens_is_unreachable(s3_options: dict[str, str]) -> None:
    with socket.socket() as taken:  # bound, so that nobody else can listen there
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        nowhere = open_store("s3://models", s3_options | {"endpoint": endpoint})
        with pytest.raises(StoreUnreachable, match="s3://models did not answer"):
            nowhere.read("key")


def test_a_limit_is_enough_of_the_first_keys_or_all_that_there_are(store: Store) -> None:
    for number in range(120):
        store.create(f"f/{number:03d}", b"")
    every = store.keys("f/")
    found = store.keys("f/", limit=60)
    assert len(found) >= 60
    assert found == every[: len(found)]
    assert len(store.keys("f/", "f/099", limit=60)) == 20
    assert store.keys("f/", limit=121) == every
