"""What many tests share: a trained estimator, rows that it answers, an empty registry, stores."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
from datetime import UTC, datetime
from threading import Thread
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import HealthCheck, settings
from obstore.store import MemoryStore
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from greenroom.documents import Stamp
from greenroom.manifest import EXAMPLES, MODEL, File, Lineage, Manifest, Parity, Version
from greenroom.registry import Registry
from greenroom.schema import Field, Schema
from greenroom.store import BucketStore, LocalStore, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from greenroom.store import Store

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)

# The same examples on every machine, however slow it is.
settings.register_profile(
    "steady", derandomize=True, database=None, deadline=None, suppress_health_check=HealthCheck
)
settings.load_profile("steady")


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


@pytest.fixture(scope="session")
def stamp() -> Stamp:
    """Who writes documents, and when."""
    return Stamp(by="ann", at="2026-11-24T12:00:00+00:00", operation="0" * 32)


@pytest.fixture(scope="session")
def manifest(stamp: Stamp) -> Manifest:
    """What could be known of a version of the model `tumour` with two inputs."""
    labels = ("benign", "malignant")
    return Manifest(
        model="tumour",
        files=(File(EXAMPLES, 12, "e" * 64), File(MODEL, 34, "f" * 64)),
        schema=Schema(
            inputs=(Field("radius", "float64"), Field("texture", "float64")),
            outputs=(
                Field("predictions", "string"),
                Field("probabilities", "float64", shape=(2,), labels=labels),
            ),
        ),
        parity=Parity(rows=5, tolerance=1e-5, largest_difference=0.0),
        lineage=Lineage("sklearn.svm.SVC", "c" * 40, False, "d" * 64, "3.11.7", {"numpy": "2.4"}),  # noqa: FBT003
        parameters={"C": 1.0, "kernel": "rbf", "seed": None},
        metrics={"roc_auc": 0.98},
        by=stamp.by,
        at=stamp.at,
        operation=stamp.operation,
    )


@pytest.fixture(scope="session")
def version(manifest: Manifest) -> Version:
    """The version tumour@3."""
    return Version(3, "a" * 64, manifest)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of a server that speaks S3's protocol, in a process of its own."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.stderr
    try:
        told = (re.search(r"http://127\.0\.0\.1:[0-9]+", line) for line in server.stderr)
        address = next(found[0] for found in told if found)
        # It tells every request, and would stop at a pipe that is full.
        drain = Thread(target=server.stderr.read)
        drain.start()
        yield address
    finally:
        server.terminate()
        server.wait()
    drain.join()
    server.stderr.close()


@pytest.fixture
def s3_options(s3_endpoint: str) -> dict[str, str]:
    """What `open_store` needs to know of the S3 server."""
    return {
        "endpoint": s3_endpoint,
        "access_key_id": "anybody",
        "secret_access_key": "anything",  # the server takes every key
        "region": "us-east-1",
    }


@pytest.fixture
def s3_url(s3_endpoint: str) -> str:
    """A prefix in a new bucket of the S3 server."""
    bucket = f"bucket-{secrets.token_hex(8)}"
    httpx.put(f"{s3_endpoint}/{bucket}").raise_for_status()
    return f"s3://{bucket}/team/models"


@pytest.fixture(params=["memory", "local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store: in memory, in a directory, and behind S3's protocol."""
    match request.param:
        case "memory":
            return BucketStore(MemoryStore(), "memory://")
        case "local":
            return LocalStore(tmp_path / "store")
        case _:
            url: str = request.getfixturevalue("s3_url")
            return open_store(url, request.getfixturevalue("s3_options"))
