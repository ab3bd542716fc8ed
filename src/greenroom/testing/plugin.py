"""The pytest plugin: asleep unless `--greenroom` names a version, as `greenroom test` does.

It records what happened; the fixtures that model tests ask for are in fixtures.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from greenroom.testing.fixtures import Models


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that wake the plugin."""
    group = parser.getgroup("greenroom", "model tests")
    group.addoption("--greenroom", metavar="VERSION", help="the candidate, such as diabetes@7")
    group.addoption(
        "--greenroom-champion",
        metavar="ENVIRONMENT",
        default="production",
        help="the environment whose live version is the champion",
    )
    group.addoption("--greenroom-report", metavar="FILE", help="where to write what was observed")


def pytest_configure(config: pytest.Config) -> None:
    """Wake up when there is a candidate to test."""
    reference = config.getoption("--greenroom")
    if reference:
        from greenroom.testing import fixtures

        models = _open_models(reference, config.getoption("--greenroom-champion"))
        config.stash[fixtures.MODELS] = models
        config.pluginmanager.register(fixtures, "greenroom-fixtures")
        report = config.getoption("--greenroom-report")
        if report:
            config.option.dist = "no"  # what xdist's workers leave out would not be seen here
            config.pluginmanager.register(_Recorder(models, Path(report)), "greenroom-recorder")


def _open_models(reference: str, environment: str) -> Models:
    import pytest

    from greenroom.errors import GreenroomError
    from greenroom.testing import fixtures

    try:
        return fixtures.open_models(reference, environment)
    except GreenroomError as error:
        raise pytest.UsageError(str(error)) from error


class _Recorder:
    """Writes down how every test ended, and on which version."""

    def __init__(self, models: Models, report: Path) -> None:
        self._models = models
        self._report = report
        self._phases: dict[str, list[pytest.TestReport]] = {}
        self._deselected = 0

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self._deselected += len(items)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:  # those that never end are told too
            self._phases.setdefault(item.nodeid, [])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if not report.passed:
            self._phases.setdefault(report.nodeid or "collection", [])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._phases.setdefault(report.nodeid, []).append(report)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self._report.write_bytes(self._observed(int(exitstatus)))

    def _observed(self, exit_code: int) -> bytes:
        import msgspec

        from greenroom.verdict import TestResult, TestRun

        tests = tuple(
            TestResult(name, _outcome(phases), sum(p.duration for p in phases), _message(phases))
            for name, phases in self._phases.items()
        )
        digest = self._models.candidate.version.digest
        run = TestRun(digest, exit_code, tests, self._deselected, self._models.metrics)
        return msgspec.json.encode(run)


def _outcome(phases: list[pytest.TestReport]) -> str:
    """Say how a test ended: it passed only if its set-up, call and tear-down all did."""
    if any(hasattr(phase, "wasxfail") for phase in phases):
        return "xfailed"
    broken = _broken(phases)
    if broken is None:
        return "passed" if phases and phases[-1].when == "teardown" else "error"
    return broken.outcome if broken.when == "call" or broken.skipped else "error"


def _message(phases: list[pytest.TestReport]) -> str:
    broken = _broken(phases)
    if broken is None or broken.longrepr is None:
        return ""
    crash = getattr(broken.longrepr, "reprcrash", None)
    return str(crash.message if crash else broken.longrepr)[:2000]


def _broken(phases: list[pytest.TestReport]) -> pytest.TestReport | None:
    return next((phase for phase in phases if not phase.passed), None)
