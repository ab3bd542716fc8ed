"""What tests of model tests share: a registry with a champion, and the runner at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.registry import Registry
from greenroom.store import LocalStore
from greenroom.testing import runner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd
    from sklearn.pipeline import Pipeline

    from greenroom.verdict import TestRun

    Run = Callable[..., TestRun]


@pytest.fixture(scope="session")
def contest(
    tmp_path_factory: pytest.TempPathFactory,
    estimator: Pipeline,
    better_estimator: Pipeline,
    rows: pd.DataFrame,
) -> Registry:
    """A registry where tumours@1 is live in production and tumours@2 asks to be."""
    registry = Registry(LocalStore(tmp_path_factory.mktemp("contest")), author="ann")
    registry.push("tumours", estimator, rows)
    registry.push("tumours", better_estimator, rows)
    registry.promote("tumours@1", "production", force=True, reason="the first")
    return registry


@pytest.fixture
def run(contest: Registry, tmp_path: Path) -> Run:
    """Run a suite, given as file name → content, on tumours@2."""

    def run_suite(files: dict[str, str], environment: str = "production") -> TestRun:
        for name, content in files.items():
            (tmp_path / name).write_text(content)
        version = contest.show("tumours@2")
        return runner.run(version, [tmp_path], environment, contest.location)

    return run_suite
