"""Another author's model, from a trained estimator to answers over HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import joblib
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import greenroom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

GREENROOM = [sys.executable, "-c", "from greenroom.cli import main; main()"]
SERVE = (
    "import sys, greenroom\n"
    "place, port = sys.argv[1:]\n"
    "greenroom.serve(greenroom.open_registry(place), 'flowers@production', port=int(port))"
)
MODEL_TESTS = """
def test_every_flower_has_a_name(candidate, examples):
    assert set(candidate.predict(examples.rows)) <= {"setosa", "versicolor", "virginica"}

def test_accuracy_is_recorded(candidate, champion, examples, record_metric):
    assert champion is None
    right = candidate.predict(examples.rows) == examples.answers.predictions
    record_metric("agreement", right.mean())
"""


@pytest.fixture(scope="module")
def flowers() -> pd.DataFrame:
    data: pd.DataFrame = load_iris(as_frame=True).data
    return data


@pytest.fixture(scope="module")
def author(flowers: pd.DataFrame) -> Pipeline:
    iris = load_iris()
    forest = GradientBoostingClassifier(n_estimators=20, random_state=0)
    return make_pipeline(StandardScaler(), forest).fit(flowers, iris.target_names[iris.target])


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh directory with a greenroom.toml and model tests."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("GREENROOM_")]:
        monkeypatch.delenv(name)
    Path("greenroom.toml").write_text('registry = "registry"\nmodel = "flowers"\n')
    Path("model_tests").mkdir()
    Path("model_tests/test_flowers.py").write_text(MODEL_TESTS)
    return tmp_path


def deploy_by_command_line(author: Pipeline, flowers: pd.DataFrame) -> None:
    joblib.dump(author, "model.joblib")
    flowers.sample(20, random_state=0).to_csv("rows.csv", index=False)
    assert command("push", "model.joblib", "--examples", "rows.csv") == "pushed flowers@1"
    assert command("test") == "flowers@1 passed: 2 of 2 tests passed"
    assert command("promote") == "flowers@1 is live in production (entry 1, promote)"


def command(*arguments: str) -> str:
    done = subprocess.run([*GREENROOM, *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def deploy_by_library(author: Pipeline, flowers: pd.DataFrame) -> None:
    registry = greenroom.open_registry()
    assert registry.push("flowers", author, flowers.sample(20, random_state=0)).is_new
    verdict = registry.test("flowers", [Path("model_tests")], "production")
    assert (verdict.outcome, verdict.metrics) == ("passed", {"agreement": 1.0})
    assert registry.promote("flowers", "production").is_new


@contextmanager
def served(command: Sequence[str]) -> Iterator[httpx.Client]:
    """Run a server on a free port until it is ready, and give a client of it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen([part.format(port=port) for part in command])
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            wait_until_ready(client, server)
            yield client
    finally:
        server.terminate()
        server.wait(30)


def wait_until_ready(client: httpx.Client, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended"
        try:
            if client.get("/health").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass  # it does not listen yet
        time.sleep(0.05)
    pytest.fail("the server was not ready in time")


@pytest.mark.parametrize(
    ("deploy", "serve"),
    [
        (deploy_by_command_line, [*GREENROOM, "serve", "--port={port}"]),
        (deploy_by_library, [sys.executable, "-c", SERVE, "registry", "{port}"]),
    ],
    ids=["command line", "library"],
)
@pytest.mark.usefixtures("desk")
def test_a_second_model_answers_over_http_as_its_author_does(
    author: Pipeline,
    flowers: pd.DataFrame,
    deploy: Callable[[Pipeline, pd.DataFrame], None],
    serve: Sequence[str],
) -> None:
    deploy(author, flowers)
    with served(serve) as client:
        records = client.post("/predict", json=flowers.to_dict("records")).json()
        rows = client.post("/predict", json=flowers.to_numpy().tolist()).json()
        faulty = client.post("/predict", json={**flowers.to_dict("records")[0], "color": 1})
    assert records == rows
    assert (records["model"], records["version"]) == ("flowers", 1)
    assert records["predictions"] == author.predict(flowers).tolist()
    names = author.classes_.tolist()
    answered = [[row[name] for name in names] for row in records["probabilities"]]
    assert answered == [pytest.approx(row, abs=1e-5) for row in author.predict_proba(flowers)]
    assert faulty.status_code == httpx.codes.BAD_REQUEST
    assert {"row": 0, "field": "color", "problem": "is not an input of this model"} in (
        faulty.json()["details"]
    )
