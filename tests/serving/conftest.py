"""Servers in processes of their own, as `greenroom serve` starts them."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import pytest

from greenroom.registry import Registry
from greenroom.store import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pandas as pd
    from sklearn.pipeline import Pipeline

T = TypeVar("T")

COMMAND = [sys.executable, "-c", "from greenroom.cli import main; main()"]


@dataclass(frozen=True)
class Server:
    """A server's process, where it listens, and the file that its stderr goes to."""

    process: subprocess.Popen[bytes]
    stderr: Path

    @property
    def url(self) -> str:
        """Where it listens; waits until it says so."""
        found = self.wait_for(lambda: re.search(r"http://[0-9.:]+", self.stderr.read_text()))
        return found[0]

    def wait_for(self, condition: Callable[[], T | None]) -> T:
        """Return what a condition gives once it gives something."""
        deadline = time.monotonic() + 30
        while not (found := condition()):
            assert self.process.poll() is None, self.stderr.read_text()
            assert time.monotonic() < deadline, self.stderr.read_text()
            time.sleep(0.02)
        return found


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Start a server of a registry and `model@environment`; all must end without a traceback."""
    started: list[Server] = []

    def start(registry: Registry, target: str, *options: str) -> Server:
        command = [*COMMAND, "--registry", registry.location, "serve", target]
        stderr = tmp_path_factory.mktemp("server") / "stderr"
        with stderr.open("wb") as log:
            process = subprocess.Popen([*command, "--port", "0", *options], stderr=log)
        started.append(Server(process, stderr))
        return started[-1]

    yield start
    for server in started:
        server.process.kill()
        server.process.wait()
        said = server.stderr.read_text()
        assert "Traceback" not in said, said
        assert "Warning:" not in said, said


@pytest.fixture(scope="module")
def served_registry(
    tmp_path_factory: pytest.TempPathFactory,
    estimator: Pipeline,
    table: tuple[pd.DataFrame, pd.Series],
) -> Registry:
    """A registry with diabetes@1 live in production."""
    registry = Registry(LocalStore(tmp_path_factory.mktemp("registry")), author="ann")
    registry.push("diabetes", estimator, table[0].head(5))
    registry.promote("diabetes", "production", force=True, reason="a test")
    return registry
