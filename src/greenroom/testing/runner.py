"""Runs a version's model tests in a process of their own and reads what the plugin observed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec

from greenroom.errors import NotFound
from greenroom.verdict import TestRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greenroom.manifest import Version


_STDERR = 2  # the process's own, also where a notebook has put another in its place


def run(version: Version, tests: Sequence[Path], environment: str, registry: str) -> TestRun:
    """Run pytest on `tests` with `version` as candidate; its output goes to stderr.

    `registry` is the location that the plugin reads the models from. Raises NotFound for a path
    that is not there. A run that ends without a report is returned as one that tested nothing.
    """
    for path in tests:
        if not path.exists():
            raise NotFound(f"there are no model tests at {path}; write some, or name their path")
    with TemporaryDirectory(prefix="greenroom-") as directory:
        report = Path(directory, "report.json")
        command = [sys.executable, "-m", "pytest", "--quiet", "--no-header"]
        command += [f"--greenroom={version}", f"--greenroom-champion={environment}"]
        command += [f"--greenroom-report={report}", *map(str, tests)]
        settings = {"GREENROOM_REGISTRY": registry}
        exit_code = subprocess.run(  # noqa: S603  # our own interpreter, no shell
            command, env=os.environ | settings, stdout=_STDERR, check=False
        ).returncode
        return _read_report(report, exit_code)


def _read_report(report: Path, exit_code: int) -> TestRun:
    try:
        observed = msgspec.json.decode(report.read_bytes(), type=TestRun)
    except (OSError, msgspec.MsgspecError):
        return TestRun(digest=None, exit_code=exit_code)
    return msgspec.structs.replace(observed, exit_code=exit_code)
