from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from greenroom.documents import Stamp, Stored, store_as
from greenroom.errors import Corrupted, PromotionRefused
from greenroom.log import Log, Promotion, before, check_older, extend, lived
from greenroom.promotion import decide_rollback

if TYPE_CHECKING:
    from collections.abc import Sequence

STAMP = Stamp("ann", "2026-11-24T12:00:00+00:00", "0" * 32)
EMPTY = Log("tumour", "production")

versions = st.integers(1, 5)
logs = st.lists(versions, min_size=1, max_size=8)


def entry(log: Log, version: int, **changes: Any) -> Stored[Promotion]:
    """Return the entry that makes a version live, as it would lie after a log."""
    promotion = Promotion(
        model=log.model,
        environment=log.environment,
        sequence=log.next_sequence,
        kind="promote",
        version=version,
        digest=f"{version:064x}",
        previous=log.head,
        verdicts=(),
        by=STAMP.by,
        at=STAMP.at,
        reason=None,
        operation=STAMP.operation,
    )
    return store_as(log.next_sequence, replace(promotion, **changes))[0]


def promoted(promotions: Sequence[int], log: Log = EMPTY) -> Log:
    for version in promotions:
        log = extend(log, [entry(log, version)])
    return log


def roll_back(log: Log, steps: int = 1) -> Promotion:
    target = next(islice(lived(reversed(log.entries)), steps, None), None)
    return decide_rollback(log, target, STAMP)


def test_nothing_is_live_before_the_first_promotion() -> None:
    assert (EMPTY.live, EMPTY.next_sequence, EMPTY.head) == (None, 1, None)


@given(logs)
def test_the_last_entry_says_what_is_live(promotions: list[int]) -> None:
    log = promoted(promotions)
    assert log.live
    assert log.live.version == promotions[-1]
    assert [stored.number for stored in log.entries] == list(range(1, len(promotions) + 1))


@given(logs, st.data())
def test_a_log_read_in_two_parts_is_the_log_read_at_once(
    promotions: list[int], data: st.DataObject
) -> None:
    entries = promoted(promotions).entries
    cut = data.draw(st.integers(0, len(entries)))
    assert extend(extend(EMPTY, entries[:cut]), entries[cut:]) == extend(EMPTY, entries)


@given(logs, st.data())
def test_a_gap_is_named(promotions: list[int], data: st.DataObject) -> None:
    entries = promoted([*promotions, 1]).entries
    gap = data.draw(st.integers(0, len(entries) - 2))
    with pytest.raises(Corrupted) as error:
        extend(EMPTY, entries[:gap] + entries[gap + 1 :])
    assert str(error.value) == f"tumour@production: entry {gap + 1} is missing from the log"


@given(logs, st.data())
def test_an_altered_entry_is_found_by_the_one_after_it(
    promotions: list[int], data: st.DataObject
) -> None:
    entries = promoted([*promotions, 1]).entries
    altered = data.draw(st.integers(0, len(entries) - 2))
    forged, _ = store_as(altered + 1, replace(entries[altered].body, by="mallory"))
    with pytest.raises(Corrupted, match=f"entry {altered + 2} does not follow the entry before"):
        extend(EMPTY, [*entries[:altered], forged, *entries[altered + 1 :]])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"environment": "staging"}, "entry 2 belongs to tumour@staging"),
        ({"model": "lump"}, "entry 2 belongs to lump@production"),
        ({"sequence": 3}, "entry 2 does not follow the entry before it; the log was altered"),
        ({"previous": None}, "entry 2 does not follow the entry before it; the log was altered"),
    ],
)
def test_an_entry_that_does_not_belong_here_is_refused(
    changes: dict[str, Any], problem: str
) -> None:
    log = promoted([1])
    with pytest.raises(Corrupted, match=f"tumour@production: {problem}"):
        extend(log, [entry(log, 2, **changes)])


def test_a_log_cannot_begin_in_the_middle() -> None:
    with pytest.raises(Corrupted, match="entry 1 does not follow"):
        extend(EMPTY, [entry(EMPTY, 1, previous="0" * 64)])


@given(st.lists(versions | st.just("rollback"), max_size=20))
def test_a_rollback_makes_live_what_was_live_before_further_back_each_time(
    steps: list[int | str],
) -> None:
    log, lived = EMPTY, list[int]()
    for step in steps:
        if isinstance(step, int):
            lived.append(step)
            log = promoted([step], log)
        elif len(lived) < 2:
            with pytest.raises(PromotionRefused, match="nothing was live in production before"):
                roll_back(log)
        else:
            lived.pop()
            log = extend(log, [store_as(log.next_sequence, roll_back(log))[0]])
        assert (log.live and log.live.version) == (lived[-1] if lived else None)
        earlier = before(reversed(log.entries))
        assert (earlier and earlier.version) == (lived[-2] if len(lived) > 1 else None)


@given(st.lists(versions | st.sampled_from(["back 1", "back 2", "back 3"]), max_size=20))
def test_rollbacks_of_any_length_are_told_from_the_newest_entry_backwards(
    steps: list[int | str],
) -> None:
    log, stack = EMPTY, list[int]()
    for step in steps:
        if isinstance(step, int):
            stack.append(step)
            log = promoted([step], log)
        elif (length := int(step[-1])) < len(stack):
            target = stack[-1 - length]
            del stack[-1:]
            while stack[-1] != target:
                del stack[-1:]
            log = extend(log, [store_as(log.next_sequence, roll_back(log, length))[0]])
    assert [body.version for body in lived(reversed(log.entries))] == stack[::-1]


def test_a_rollback_reads_no_further_back_than_it_has_to() -> None:
    newest_first = iter(reversed(promoted([1, 2, 3, 4]).entries))
    earlier = before(newest_first)
    assert earlier
    assert earlier.version == 3
    assert [entry.number for entry in newest_first] == [2, 1]


@given(logs, st.data())
def test_a_tail_goes_on_like_the_whole_log(promotions: list[int], data: st.DataObject) -> None:
    whole = promoted(promotions)
    first = data.draw(st.integers(1, len(promotions)))
    tail = extend(Log("tumour", "production", first=first), whole.entries[first - 1 :])
    assert (tail.live, tail.head, tail.next_sequence) == (
        whole.live,
        whole.head,
        whole.next_sequence,
    )
    with pytest.raises(Corrupted, match=f"entry {whole.next_sequence} does not follow"):
        extend(tail, [entry(whole, 1, previous="0" * 64)])


@pytest.mark.parametrize(
    ("older", "problem"),
    [
        (0, "entry 2 is missing from the log"),
        (replace, "entry 3 does not follow the entry before it; the log was altered"),
    ],
    ids=["gap", "altered"],
)
def test_walking_back_names_what_does_not_fit(older: Any, problem: str) -> None:
    entries = promoted([1, 2, 3]).entries
    given = (
        store_as(2, replace(entries[1].body, by="mallory"))[0]
        if older is replace
        else entries[older]
    )
    with pytest.raises(Corrupted, match=problem):
        check_older(EMPTY, entries[2], given)
