from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    from sklearn.pipeline import Pipeline

    from greenroom.registry import Registry

CLIENTS = 4
PROMOTIONS = (2, 1, 2, 1, 2, 1)
SERVE = [sys.executable, "-c", "from greenroom.cli import main; main()"]


def promote(registry: Registry, version: int) -> None:
    registry.promote(f"diabetes@{version}", "production", force=True, reason="a test")


@pytest.fixture
def address(
    registry: Registry,
    estimator: Pipeline,
    better_estimator: Pipeline,
    rows: pd.DataFrame,
    tmp_path: Path,
) -> Iterator[str]:
    """Where a server of diabetes@production listens: diabetes@1 is live, diabetes@2 waits."""
    for model in (estimator, better_estimator):
        registry.push("diabetes", model, rows)
    promote(registry, 1)
    log = tmp_path / "stderr"
    command = [*SERVE, "--registry", registry.location, "serve", "diabetes@production"]
    with log.open("wb") as stderr:
        server = subprocess.Popen([*command, "--port", "0", "--poll", "0.1"], stderr=stderr)
    deadline = time.monotonic() + 30
    while not (found := re.search("http://([0-9.:]+)", log.read_text())):
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
    yield found[1]
    server.kill()
    server.wait()
    assert "Traceback" not in log.read_text()


def ask(connection: http.client.HTTPConnection, body: str) -> tuple[int, str]:
    """Return the version that answered, and what it said."""
    connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read().decode()
    assert response.status == 200, text
    answer = json.loads(text)
    return answer["version"], json.dumps(answer["probabilities"])


def ask_until(stop: Event, address: str, body: str) -> Counter[tuple[int, str]]:
    connection = http.client.HTTPConnection(address, timeout=30)
    answers: Counter[tuple[int, str]] = Counter()
    while not stop.is_set():
        answers[ask(connection, body)] += 1
    connection.close()
    return answers


def test_no_request_fails_and_every_answer_is_that_of_the_version_it_names(
    registry: Registry, address: str, rows: pd.DataFrame
) -> None:
    body = json.dumps(rows.to_numpy().tolist())
    stop = Event()
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(ask_until, stop, address, body) for _ in range(CLIENTS)]
        try:
            for version in PROMOTIONS:
                promote(registry, version)
                wait_until_live(address, version, body)
        finally:
            stop.set()
    answers = sum((client.result() for client in clients), Counter())
    assert {version for version, _ in answers} == {1, 2}
    assert len(answers) == 2, "a version answered the same rows in two ways"
    assert len({said for _, said in answers}) == 2, "both versions answered alike"


def wait_until_live(address: str, version: int, body: str) -> None:
    connection = http.client.HTTPConnection(address, timeout=30)
    deadline = time.monotonic() + 30
    while ask(connection, body)[0] != version:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    connection.close()
