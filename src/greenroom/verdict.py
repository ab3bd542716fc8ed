"""The verdict of a test run, bound to the digest that was tested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from greenroom.layout import FORMAT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greenroom.documents import Stamp
    from greenroom.manifest import Version

Outcome: TypeAlias = Literal["passed", "failed"]


class TestResult(msgspec.Struct, frozen=True):
    """How one test ended; `outcome` is pytest's word: passed, failed, skipped, xfailed, error."""

    __test__ = False  # pytest collects by name, and this is no test

    name: str
    outcome: str
    seconds: float
    message: str = ""


class TestRun(msgspec.Struct, frozen=True):
    """What one run of pytest observed. `digest` is the manifest's that the tests were given."""

    __test__ = False

    digest: str | None
    exit_code: int
    tests: tuple[TestResult, ...] = ()
    deselected: int = 0
    metrics: dict[str, float] = {}


class Verdict(msgspec.Struct, frozen=True):
    """The recorded outcome of a test run."""

    model: str
    version: int
    digest: str
    outcome: Outcome
    reasons: tuple[str, ...]
    tests: tuple[TestResult, ...]
    metrics: dict[str, float]
    by: str
    at: str
    operation: str
    format: int = FORMAT


def judge(run: TestRun, version: Version, stamp: Stamp) -> Verdict:
    """Return the verdict of a run on a version: passed only if nothing speaks against it."""
    reasons = reasons_not_passed(run, version.digest)
    return Verdict(
        model=version.manifest.model,
        version=version.number,
        digest=version.digest,
        outcome="failed" if reasons else "passed",
        reasons=tuple(reasons),
        tests=run.tests,
        metrics=run.metrics,
        by=stamp.by,
        at=stamp.at,
        operation=stamp.operation,
    )


def reasons_not_passed(run: TestRun, digest: str) -> list[str]:
    """Return every reason why a run is not a pass for `digest`; an empty list is a pass.

    It fails closed: a run counts only when pytest itself ended well, at least one test ran,
    and every test that was collected passed.
    """
    reasons = [f"{t.name} {t.outcome}" for t in run.tests if t.outcome != "passed"]
    if not run.tests:
        reasons.append("no test ran")
    if run.deselected:
        reasons.append(f"{run.deselected} tests were deselected")
    if run.exit_code != 0 and not reasons:
        reasons.append(f"pytest ended with exit code {run.exit_code}")
    if run.digest != digest:
        reasons.append("the tests were not given this version")
    return reasons


def passed_for(digest: str, verdicts: Sequence[Verdict]) -> bool:
    """Tell whether the newest of some verdicts for `digest` is a pass."""
    ours = [verdict for verdict in verdicts if verdict.digest == digest]
    return bool(ours) and ours[-1].outcome == "passed"
