from __future__ import annotations

import secrets
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import MemoryStore

from greenroom import ledger
from greenroom.documents import encode
from greenroom.errors import Corrupted, NotFound, OutcomeUnknown, StoreUnreachable
from greenroom.store import BucketStore, LocalStore, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FOLDER = "notes/"
FIRST, SECOND = "notes/00000001.json", "notes/00000002.json"


class Note(msgspec.Struct, frozen=True):
    text: str
    operation: str
    format: int = 1


class Operation(msgspec.Struct):
    operation: str


def note(text: str = "") -> Note:
    return Note(text, secrets.token_hex(16))


class Flaky(BucketStore):
    """A store that does to successive calls of `create` and `read` what a script says.

    A step may do the work or not, and answer what it likes; after the script, all goes well.
    """

    def __init__(self, *steps: Callable[[Flaky, str, bytes], bool]) -> None:
        super().__init__(MemoryStore(), "memory://flaky")
        self.steps: Iterator[Callable[[Flaky, str, bytes], bool]] = iter(steps)
        self.silent = False
        self.deleted: list[str] = []

    def create(self, key: str, data: bytes) -> bool:
        step = next(self.steps, well)
        return step(self, key, data)

    def read(self, key: str) -> bytes:
        if self.silent:
            raise StoreUnreachable("no answer")
        return super().read(key)

    def delete(self, key: str) -> None:
        self.deleted.append(key)
        super().delete(key)


def well(store: Flaky, key: str, data: bytes) -> bool:
    return BucketStore.create(store, key, data)


def answer_lost(store: Flaky, key: str, data: bytes) -> bool:
    well(store, key, data)
    raise StoreUnreachable("the answer was lost")


def request_lost(_store: Flaky, key: str, _data: bytes) -> bool:
    raise StoreUnreachable(f"the request for {key} was lost")


def stored_but_denied(store: Flaky, key: str, data: bytes) -> bool:
    well(store, key, data)
    return False


def denied(_store: Flaky, _key: str, _data: bytes) -> bool:
    return False


def overtaken(store: Flaky, key: str, data: bytes) -> bool:
    well(store, key, encode(note("somebody else's")))
    return well(store, key, data)


def overtaken_in_silence(store: Flaky, key: str, data: bytes) -> bool:
    overtaken(store, key, data)
    raise StoreUnreachable("the answer was lost")


def gone_silent(store: Flaky, key: str, data: bytes) -> bool:
    store.silent = True
    return answer_lost(store, key, data)


def test_documents_are_numbered_from_1_without_gaps_and_read_in_order(store: Store) -> None:
    notes = [note(str(number)) for number in range(12)]
    appended = [ledger.append(store, FOLDER, each) for each in notes]
    assert [stored.number for stored in appended] == list(range(1, 13))
    assert ledger.read_all(store, FOLDER, Note) == appended
    assert ledger.read_all(store, FOLDER, Note, after=10) == appended[10:]
    assert ledger.numbers(store, FOLDER, after=12) == []


def test_a_number_is_claimed_by_one_writer_only(store: Store) -> None:
    ours, theirs = note(), note()
    assert ledger.claim(store, FOLDER, 1, ours)
    assert ledger.claim(store, FOLDER, 1, theirs) is None
    assert ledger.read(store, FOLDER, 1, Note).body == ours


def test_a_claim_that_is_repeated_finds_itself_done(store: Store) -> None:
    ours = note()
    assert ledger.claim(store, FOLDER, 1, ours) == ledger.claim(store, FOLDER, 1, ours)


@pytest.mark.parametrize(
    "steps",
    [
        [answer_lost],
        [stored_but_denied],
        [request_lost],
        [denied],
        [request_lost, answer_lost],
        [request_lost, denied, denied, request_lost],
    ],
    ids=lambda steps: ", ".join(step.__name__ for step in steps),
)
def test_a_write_that_is_ours_is_recognised_and_made_once(
    steps: list[Callable[[Flaky, str, bytes], bool]],
) -> None:
    store = Flaky(*steps)
    ours = note()
    stored = ledger.append(store, FOLDER, ours)
    assert (stored.number, stored.body) == (1, ours)
    assert ledger.read_all(store, FOLDER, Note) == [stored]


@pytest.mark.parametrize("step", [overtaken, overtaken_in_silence])
def test_a_number_that_another_took_is_left_to_them(
    step: Callable[[Flaky, str, bytes], bool],
) -> None:
    ours = note()
    assert ledger.claim(Flaky(step), FOLDER, 1, ours) is None
    store = Flaky(step, step)
    assert ledger.append(store, FOLDER, ours).number == 3
    texts = [stored.body.text for stored in ledger.read_all(store, FOLDER, Note)]
    assert texts == ["somebody else's", "somebody else's", ""]


def test_an_outcome_that_cannot_be_learned_is_told_so_and_nothing_is_deleted() -> None:
    store = Flaky(gone_silent)
    with pytest.raises(
        OutcomeUnknown, match=f"whether {FIRST} was written.*run the command again"
    ):
        ledger.append(store, FOLDER, note())
    store.silent = False
    assert store.keys("") == [FIRST]
    assert not store.deleted


def test_a_store_that_neither_writes_nor_refuses_is_given_up_on() -> None:
    store = Flaky(*[denied] * 50)
    with pytest.raises(OutcomeUnknown, match=FIRST):
        ledger.append(store, FOLDER, note())
    assert store.keys("") == []


class Disorderly(BucketStore):
    """A store whose listing is neither sorted, nor free of repetition, nor of other things."""

    def keys(self, folder: str, after: str = "", limit: int | None = None) -> list[str]:  # noqa: ARG002  # ignored too
        found = super().keys(folder)
        return [*reversed(found), *found, f"{folder}notes.txt", f"{folder}00000000.json"]


def test_a_disorderly_listing_does_not_disturb_the_order() -> None:
    store = Disorderly(MemoryStore(), "memory://disorderly")
    for text in "abc":
        ledger.append(store, FOLDER, note(text))
    assert ledger.numbers(store, FOLDER) == [1, 2, 3]
    assert ledger.numbers(store, FOLDER, after=2) == [3]
    assert [stored.body.text for stored in ledger.read_all(store, FOLDER, Note)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "data",
    [b"", encode(note())[:-10], b'{"format": 2}', b'{"format": 1, "operation": 7}', b"\xff"],
    ids=["empty", "cut", "newer", "mistyped", "not text"],
)
@pytest.mark.parametrize(
    "use",
    [
        lambda store: ledger.read_all(store, FOLDER, Note),
        lambda store: ledger.claim(store, FOLDER, 2, note()),
    ],
    ids=["read", "claim"],
)
def test_a_document_that_cannot_be_read_is_named_and_kept(
    tmp_path: Path, use: Callable[[Store], object], data: bytes
) -> None:
    store = LocalStore(tmp_path)
    ledger.append(store, FOLDER, note())
    store.create(SECOND, data)
    with pytest.raises(Corrupted, match=SECOND):
        use(store)
    assert store.read(SECOND) == data


def test_a_document_that_is_absent_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match=FIRST):
        ledger.read(store, FOLDER, 1, Note)


APPENDING = """
import secrets, sys
from pathlib import Path
import msgspec
from greenroom import ledger
from greenroom.store import LocalStore

class Note(msgspec.Struct, frozen=True):
    operation: str
    format: int = 1

store = LocalStore(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    stored = ledger.append(store, "notes/", Note(secrets.token_hex(16)))
    print(stored.number, stored.body.operation)
"""


def test_processes_that_append_at_once_leave_no_gap_and_lose_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", APPENDING, str(tmp_path), "10"]
    pipe = subprocess.PIPE
    writers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(6)]
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("go\n")
        writer.stdin.flush()
    told = [line.split() for writer in writers for line in writer.communicate()[0].splitlines()]
    acknowledged = {int(number): operation for number, operation in told}
    written = {
        stored.number: stored.body.operation
        for stored in ledger.read_all(LocalStore(tmp_path), FOLDER, Operation)
    }
    assert len(told) == 60
    assert sorted(written) == list(range(1, 61))
    assert acknowledged == written


class Long(BucketStore):
    """A store of notes up to a number, too many to write, that counts what it is asked.

    It lists a thousand with one request, as clouds do.
    """

    def __init__(self, end: int, junk: int = 0) -> None:
        super().__init__(MemoryStore(), "memory://long")
        self.end = end
        self.junk = [f"{FOLDER}{number:07d}.txt" for number in range(junk)]
        self.requests = 0

    def size(self, key: str) -> int | None:
        self.requests += 1
        return 1 if key <= f"{FOLDER}{self.end:08d}.json" else None

    def keys(self, folder: str, after: str = "", limit: int | None = None) -> list[str]:
        assert limit
        assert not after
        notes = [f"{folder}{number:08d}.json" for number in range(1, min(self.end, limit) + 1)]
        found = (self.junk + notes)[:limit]
        self.requests += max(1, -(-len(found) // 1000))
        return found


@pytest.mark.parametrize(
    ("end", "requests"),
    [(0, 1), (1, 1), (999, 1), (1000, 1), (1001, 20), (100_000, 26), (9_999_999, 39)],
)
def test_the_last_number_is_found_with_few_requests(end: int, requests: int) -> None:
    store = Long(end)
    assert ledger.last(store, FOLDER) == end
    assert store.requests <= requests


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_a_search_ends_at_the_last_number_from_wherever_it_begins(one: int, other: int) -> None:
    assert ledger.search(Long(max(one, other)), FOLDER, min(one, other)) == max(one, other)


def test_a_page_full_of_other_keys_does_not_hide_the_numbers() -> None:
    assert ledger.last(Long(7, junk=2000), FOLDER) == 7
