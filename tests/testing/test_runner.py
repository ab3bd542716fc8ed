from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.errors import NotFound
from greenroom.testing import runner
from greenroom.verdict import TestRun, reasons_not_passed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from greenroom.registry import Registry


def test_a_passing_suite_is_observed_with_its_metrics(
    run: Callable[..., TestRun], contest: Registry
) -> None:
    observed = run(
        {
            "test_model.py": "def test_accuracy(candidate, record_metric):\n"
            "    record_metric('accuracy', 1)\n"
            "def test_speed(): pass\n"
        }
    )
    digest = contest.show("tumours@2").digest
    assert (observed.digest, observed.exit_code, observed.deselected) == (digest, 0, 0)
    assert [(test.name.partition("::")[2], test.outcome) for test in observed.tests] == [
        ("test_accuracy", "passed"),
        ("test_speed", "passed"),
    ]
    assert observed.metrics == {"accuracy": 1.0}
    assert reasons_not_passed(observed, digest) == []


FAILING = """
import pytest

@pytest.fixture
def broken():
    raise OSError

@pytest.fixture
def breaking():
    yield
    raise OSError

def test_good(): pass
def test_bad(): assert 0.79 > 0.8, "accuracy is too low"
@pytest.mark.skip
def test_skipped(): pass
@pytest.mark.xfail
def test_hopeless(): assert False
def test_set_up(broken): pass
def test_tear_down(breaking): pass
"""


def test_every_test_is_observed_with_how_it_ended(run: Callable[..., TestRun]) -> None:
    observed = run({"test_model.py": FAILING})
    ended = {test.name.partition("::")[2]: test.outcome for test in observed.tests}
    assert ended == {
        "test_good": "passed",
        "test_bad": "failed",
        "test_skipped": "skipped",
        "test_hopeless": "xfailed",
        "test_set_up": "error",
        "test_tear_down": "error",
    }
    assert observed.exit_code == 1
    assert "accuracy is too low" in observed.tests[1].message


TWO = "def test_good(): pass\ndef test_bad(): assert False"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"test_model.py": ""}, ["no test ran"]),
        ({"test_model.py": "import no_such_module"}, ["test_model.py error"]),
        (
            {"test_model.py": TWO, "pytest.ini": "[pytest]\naddopts = -k good"},
            ["1 tests were deselected"],
        ),
        (
            {"test_model.py": TWO, "pytest.ini": "[pytest]\naddopts = -k good -n 2"},
            ["1 tests were deselected"],
        ),
        (
            {
                "test_model.py": "import pytest\ndef test_one(): pass\n"
                "def test_two(): pytest.exit('enough', returncode=0)\ndef test_three(): pass",
            },
            ["test_model.py::test_two error", "test_model.py::test_three error"],
        ),
        (
            {"test_model.py": TWO, "conftest.py": "import os; os._exit(0)"},
            ["no test ran", "the tests were not given this version"],
        ),
        (
            {
                "test_model.py": "def test_x(): pass",
                "conftest.py": "def pytest_sessionfinish(session): session.exitstatus = 3",
            },
            ["pytest ended with exit code 3"],
        ),
    ],
    ids=[
        "empty",
        "not importable",
        "deselected",
        "in workers",
        "left early",
        "killed",
        "exit code",
    ],
)
def test_a_suite_that_did_not_fully_pass_is_no_pass(
    run: Callable[..., TestRun], contest: Registry, files: dict[str, str], told: list[str]
) -> None:
    observed = run(files)
    reasons = reasons_not_passed(observed, contest.show("tumours@2").digest)
    assert [reason.rpartition("/")[2] for reason in reasons] == told


def test_a_path_that_is_not_there_is_told_before_anything_runs(
    contest: Registry, tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match=r"no model tests at .*model_tests; write some"):
        runner.run(
            contest.show("tumours@2"), [tmp_path / "model_tests"], "production", contest.location
        )
