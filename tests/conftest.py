"""What many tests share: a trained estimator, rows that it answers, an empty registry."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from greenroom.registry import Registry
from greenroom.store import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def table() -> tuple[pd.DataFrame, pd.Series]:
    """Four columns of the breast-cancer data that ships with scikit-learn, and its labels."""
    data, target = load_breast_cancer(return_X_y=True, as_frame=True)
    return data.iloc[:, :4], target


@pytest.fixture(scope="session")
def rows(table: tuple[pd.DataFrame, pd.Series]) -> pd.DataFrame:
    """Five rows to push as examples."""
    return table[0].head(5)


@pytest.fixture(scope="session")
def estimator(table: tuple[pd.DataFrame, pd.Series]) -> Pipeline:
    """A fitted classifier that takes `rows`."""
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(*table)


@pytest.fixture(scope="session")
def better_estimator(table: tuple[pd.DataFrame, pd.Series]) -> Pipeline:
    """Another fitted classifier that takes `rows` and answers differently."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01)).fit(*table)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A registry in an empty directory, written to by ann at noon."""
    return Registry(LocalStore(tmp_path / "registry"), author="ann", clock=lambda: NOON)
