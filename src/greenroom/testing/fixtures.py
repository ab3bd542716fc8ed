"""What model tests ask for by name: the candidate, the champion, the examples."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from greenroom.errors import InvalidInput
from greenroom.log import Log
from greenroom.predictor import load
from greenroom.settings import open_registry

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from greenroom.catalog import Catalog
    from greenroom.examples import Examples
    from greenroom.log import Promotion
    from greenroom.manifest import Manifest, Version
    from greenroom.schema import Schema


class TestedModel:
    """A version, loaded as the server loads it, with its manifest beside it."""

    __test__ = False  # pytest collects by name, and this is no test

    def __init__(self, catalog: Catalog, version: Version) -> None:
        bundle = catalog.fetch(version)
        self._predictor = load(bundle)
        self.version = version
        self.examples = bundle.examples

    def __str__(self) -> str:
        return str(self.version)

    @property
    def manifest(self) -> Manifest:
        """The version's manifest: its metrics, parameters and lineage."""
        return self.version.manifest

    @property
    def schema(self) -> Schema:
        """The names and types of what the model takes and gives."""
        return self.version.manifest.schema

    def predict(self, rows: object) -> np.ndarray:
        """Return n predictions for n rows: a frame, an n × inputs array, or nested lists."""
        return self._predictor.predict(rows)

    def predict_proba(self, rows: object) -> np.ndarray:
        """Return n × classes probabilities, classes in the order of `schema.labels`."""
        return self._predictor.predict_proba(rows)


@dataclass(frozen=True)
class Models:
    """The models of one test run, and the metrics that its tests record."""

    catalog: Catalog
    candidate: TestedModel
    champion: Promotion | None
    metrics: dict[str, float] = field(default_factory=dict)


MODELS = pytest.StashKey[Models]()


def open_models(reference: str, environment: str) -> Models:
    """Load the candidate, and find out what is live in the environment."""
    registry = open_registry()
    candidate = TestedModel(registry, registry.show(reference))
    live = registry.read_on(Log(candidate.manifest.model, environment)).live
    return Models(registry, candidate, live)


@pytest.fixture(scope="session")
def candidate(pytestconfig: pytest.Config) -> TestedModel:
    """The version under test, loaded as the server loads it."""
    return pytestconfig.stash[MODELS].candidate


@pytest.fixture(scope="session")
def champion(pytestconfig: pytest.Config) -> TestedModel | None:
    """The version live in the environment, or None before the first promotion."""
    models = pytestconfig.stash[MODELS]
    if models.champion is None:
        return None
    return TestedModel(models.catalog, models.catalog.promoted(models.champion))


@pytest.fixture(scope="session")
def examples(candidate: TestedModel) -> Examples:
    """The candidate's example rows, and the answers that its author's own model gave."""
    return candidate.examples


@pytest.fixture(scope="session")
def record_metric(pytestconfig: pytest.Config) -> Callable[[str, float], None]:
    """Keep a finite number in the verdict: `record_metric("roc_auc", 0.84)`."""

    def record(name: str, value: float) -> None:
        if not math.isfinite(value):
            raise InvalidInput(f"the metric {name} is {value}, which is no finite number")
        pytestconfig.stash[MODELS].metrics[name] = float(value)

    return record
