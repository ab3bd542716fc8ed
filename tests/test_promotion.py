from __future__ import annotations

import pytest
from msgspec.structs import replace

from greenroom.documents import Stamp, Stored, store_as
from greenroom.errors import PromotionRefused
from greenroom.log import Log, Promotion, extend
from greenroom.manifest import Version
from greenroom.promotion import Candidate, decide, decide_rollback, is_live
from greenroom.verdict import TestResult, TestRun, Verdict, judge

EMPTY = Log("tumour", "production")


@pytest.fixture
def passed(version: Version, stamp: Stamp) -> Stored[Verdict]:
    tests = (TestResult("test_accuracy", "passed", 0.1),)
    return store_as(1, judge(TestRun(version.digest, 0, tests), version, stamp))[0]


@pytest.fixture
def failed(version: Version, stamp: Stamp) -> Stored[Verdict]:
    tests = (TestResult("test_accuracy", "failed", 0.1),)
    return store_as(2, judge(TestRun(version.digest, 1, tests), version, stamp))[0]


@pytest.fixture
def foreign(passed: Stored[Verdict]) -> Stored[Verdict]:
    """A passed verdict on other bytes under the same number."""
    return store_as(3, replace(passed.body, digest="b" * 64))[0]


def appended(log: Log, promotion: Promotion) -> Log:
    return extend(log, [store_as(promotion.sequence, promotion)[0]])


def test_a_version_that_passed_its_tests_goes_live(
    version: Version, passed: Stored[Verdict], stamp: Stamp
) -> None:
    promotion = decide(EMPTY, Candidate(version, (passed,)), stamp, reason="better recall")
    assert promotion == Promotion(
        model="tumour",
        environment="production",
        sequence=1,
        kind="promote",
        version=3,
        digest=version.digest,
        previous=None,
        verdicts=(passed.digest,),
        by=stamp.by,
        at=stamp.at,
        reason="better recall",
        operation=stamp.operation,
    )


def test_the_next_entry_names_the_one_before(
    version: Version, passed: Stored[Verdict], stamp: Stamp
) -> None:
    candidate = Candidate(version, (passed,))
    log = appended(EMPTY, decide(EMPTY, candidate, stamp))
    promotion = decide(log, candidate, stamp)
    assert (promotion.sequence, promotion.previous) == (2, log.entries[0].digest)


@pytest.mark.parametrize(
    ("verdicts", "reason"),
    [
        ([], "it has not been tested; run: greenroom test tumour@3"),
        (["foreign"], "it has not been tested; run: greenroom test tumour@3"),
        (
            ["passed", "failed", "foreign"],
            (
                "its newest test run failed (test_accuracy failed); "
                "mend it, then run: greenroom test tumour@3"
            ),
        ),
    ],
    ids=["untested", "tested under another digest", "failed last"],
)
def test_a_version_without_a_passed_verdict_is_refused_and_told_why(
    request: pytest.FixtureRequest,
    version: Version,
    stamp: Stamp,
    verdicts: list[str],
    reason: str,
) -> None:
    recorded = tuple(request.getfixturevalue(name) for name in verdicts)
    with pytest.raises(PromotionRefused) as error:
        decide(EMPTY, Candidate(version, recorded), stamp, reason="please")
    assert error.value.reasons == (reason,)
    assert str(error.value) == f"promotion of tumour@3 to production refused: {reason}"


def test_a_pass_after_a_failure_counts(
    version: Version, passed: Stored[Verdict], failed: Stored[Verdict], stamp: Stamp
) -> None:
    promotion = decide(EMPTY, Candidate(version, (failed, passed)), stamp)
    assert promotion.verdicts == (failed.digest, passed.digest)


def test_force_lets_an_untested_version_through_as_an_entry_of_its_own_kind(
    version: Version, failed: Stored[Verdict], stamp: Stamp
) -> None:
    candidate = Candidate(version, (failed,))
    promotion = decide(EMPTY, candidate, stamp, reason="the old one is down", force=True)
    assert (promotion.kind, promotion.reason) == ("force", "the old one is down")


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_force_needs_a_reason(
    version: Version, passed: Stored[Verdict], stamp: Stamp, reason: str | None
) -> None:
    with pytest.raises(PromotionRefused, match="a forced promotion needs a reason: add --reason"):
        decide(EMPTY, Candidate(version, (passed,)), stamp, reason=reason, force=True)


def test_what_is_live_is_known_by_its_digest(
    version: Version, passed: Stored[Verdict], stamp: Stamp
) -> None:
    log = appended(EMPTY, decide(EMPTY, Candidate(version, (passed,)), stamp))
    assert is_live(log, version)
    assert not is_live(log, Version(version.number, "b" * 64, version.manifest))
    assert not is_live(EMPTY, version)


def test_a_rollback_takes_over_what_the_earlier_entry_was_allowed_by(
    version: Version, passed: Stored[Verdict], stamp: Stamp
) -> None:
    first = appended(EMPTY, decide(EMPTY, Candidate(version, (passed,)), stamp))
    other = Candidate(Version(4, "b" * 64, version.manifest), ())
    second = appended(first, decide(first, other, stamp, reason="a try", force=True))
    rollback = decide_rollback(second, first.live, stamp, reason="it was slow")
    assert (rollback.kind, rollback.version, rollback.digest) == ("rollback", 3, version.digest)
    assert rollback.verdicts == (passed.digest,)
    assert (rollback.sequence, rollback.previous) == (3, second.head)
    assert rollback.reason == "it was slow"


def test_a_rollback_with_nothing_before_is_refused(
    version: Version, passed: Stored[Verdict], stamp: Stamp
) -> None:
    first = appended(EMPTY, decide(EMPTY, Candidate(version, (passed,)), stamp))
    for log in (EMPTY, first):
        with pytest.raises(PromotionRefused) as error:
            decide_rollback(log, None, stamp)
        assert error.value.reasons == ("nothing was live in production before",)
