from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.registry import Registry


def run_pytest(directory: Path, *arguments: str, registry: str = "") -> tuple[int, str]:
    """Run pytest as a person would; returns its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=directory,
        env=os.environ | {"GREENROOM_REGISTRY": registry},
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_plugin_sleeps_unless_a_version_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        "import sys, pytest\n"
        "@pytest.fixture\n"
        "def candidate(): return 'my own'\n"
        "def test_own(candidate): assert candidate == 'my own'\n"
        "def test_quick(): assert not {'onnxruntime', 'obstore', 'msgspec'} & set(sys.modules)\n"
        "def test_other(champion): pass\n"
    )
    code, printed = run_pytest(tmp_path)
    assert code == 1
    assert "2 passed, 1 error" in printed
    assert "fixture 'champion' not found" in printed


def test_model_tests_run_without_a_report(contest: Registry, tmp_path: Path) -> None:
    (tmp_path / "test_model.py").write_text(
        "def test_it(candidate): assert str(candidate) == 'tumours@1'"
    )
    code, printed = run_pytest(tmp_path, "--greenroom=tumours@1", registry=contest.location)
    assert (code, "1 passed" in printed) == (0, True)


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("tumors@1", "ERROR: there is no model tumors; did you mean tumours?"),
        ("Tumours", "ERROR: 'Tumours' cannot be the name of a model"),
    ],
)
def test_a_version_that_is_not_there_is_told_without_a_traceback(
    contest: Registry, tmp_path: Path, reference: str, told: str
) -> None:
    code, printed = run_pytest(tmp_path, f"--greenroom={reference}", registry=contest.location)
    assert code == pytest.ExitCode.USAGE_ERROR
    assert told in printed
    assert "Traceback" not in printed
