from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from greenroom.verdict import TestResult, TestRun, Verdict, judge, passed_for

if TYPE_CHECKING:
    from greenroom.documents import Stamp
    from greenroom.manifest import Version

DIGEST = "a" * 64
PASSED = TestResult("test_accuracy", "passed", 0.1)


def run(*outcomes: str, digest: str | None = DIGEST, exit_code: int = 0, left: int = 0) -> TestRun:
    tests = [TestResult(f"test_{outcome}", outcome, 0.1) for outcome in outcomes]
    return TestRun(digest, exit_code, tuple(tests), left, {"roc_auc": 0.9})


def test_a_run_whose_every_test_passed_is_a_pass(version: Version, stamp: Stamp) -> None:
    verdict = judge(run("passed", "passed"), version, stamp)
    assert (verdict.outcome, verdict.reasons) == ("passed", ())
    assert (verdict.model, verdict.version, verdict.digest) == ("tumour", 3, version.digest)
    assert (verdict.by, verdict.at, verdict.operation) == (stamp.by, stamp.at, stamp.operation)
    assert verdict.metrics == {"roc_auc": 0.9}


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (run(), "no test ran"),
        (run(exit_code=5), "no test ran"),
        (run("passed", "failed", exit_code=1), "test_failed failed"),
        (run("passed", "error", exit_code=1), "test_error error"),
        (run("passed", "skipped"), "test_skipped skipped"),
        (run("passed", "xfailed"), "test_xfailed xfailed"),
        (run("passed", "of a later pytest"), "test_of a later pytest of a later pytest"),
        (run("passed", left=2), "2 tests were deselected"),
        (run("passed", exit_code=2), "pytest ended with exit code 2"),
        (run("passed", exit_code=-9), "pytest ended with exit code -9"),
        (run("passed", digest="b" * 64), "the tests were not given this version"),
        (TestRun(digest=None, exit_code=-11), "the tests were not given this version"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_whatever_speaks_against_a_run_fails_it(
    version: Version, stamp: Stamp, run: TestRun, reason: str
) -> None:
    verdict = judge(run, version, stamp)
    assert verdict.outcome == "failed"
    assert reason in verdict.reasons


def test_every_reason_is_told(version: Version, stamp: Stamp) -> None:
    verdict = judge(run("failed", "skipped", "passed", exit_code=1, left=1), version, stamp)
    assert verdict.reasons == (
        "test_failed failed",
        "test_skipped skipped",
        "1 tests were deselected",
    )


def test_the_newest_verdict_for_the_digest_decides(version: Version, stamp: Stamp) -> None:
    passed = judge(run("passed"), version, stamp)
    failed = judge(run("failed"), version, stamp)
    other = replace(failed, digest="b" * 64)
    decided: list[tuple[list[Verdict], bool]] = [
        ([], False),
        ([passed], True),
        ([passed, failed], False),
        ([failed, passed], True),
        ([passed, other], True),
        ([replace(passed, digest="b" * 64)], False),
    ]
    for verdicts, is_pass in decided:
        assert passed_for(DIGEST, verdicts) is is_pass
