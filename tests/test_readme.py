"""The README does what it says: its transcript, its tree, its snippets and its table are run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
VARIES = {
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00": "<time>",
    r"\d{8}T\d{6}Z": "<time>",
    r"in \d+\.\d+s": "in <seconds>",
    r"(\d\.\d{4})\d+": r"\1",
    r"127\.0\.0\.1:\d+|localhost:\d+": "<address>",
}


def blocks(language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return [block for name, block in found if name == language]


def told(text: str) -> str:
    for pattern, name in VARIES.items():
        text = re.sub(pattern, name, text)
    return text.strip()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example as a newcomer finds it, with nothing trained yet."""
    folder = tmp_path_factory.mktemp("newcomer") / "diabetes"
    leftovers = shutil.ignore_patterns("models", "registry", "__pycache__", ".pytest_cache")
    shutil.copytree(ROOT / "examples" / "diabetes", folder, ignore=leftovers)
    return folder


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GREENROOM_")}
    return kept | {"PATH": path, "GREENROOM_AUTHOR": "ann"}


class Session:
    """A shell that runs a transcript's commands; what it puts in the background, it stops."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.servers: list[subprocess.Popen[str]] = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]

    def run(self, command: str, lines: int) -> str:
        words = shlex.split(command.replace("localhost:5000", f"127.0.0.1:{self.port}"))
        if words[-1] == "&":
            return self.start([*words[:-1], "--port", str(self.port)], lines)
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stderr + done.stdout

    def start(self, words: list[str], lines: int) -> str:
        server = subprocess.Popen(
            words, cwd=self.folder, env=self.environment, stderr=subprocess.PIPE, text=True
        )
        self.servers.append(server)
        assert server.stderr
        printed = "".join(server.stderr.readline() for _ in range(lines))
        self.wait_for_port()
        return printed

    def wait_for_port(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        for server in self.servers:
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=10)


@pytest.fixture(scope="module")
def session(folder: Path, environment: dict[str, str]) -> Iterator[Session]:
    session = Session(folder, environment)
    yield session
    session.stop()


@pytest.fixture(scope="module")
def transcript(session: Session) -> list[tuple[str, str, str]]:
    """Each command of the transcript, what the README says it prints, and what it printed."""
    (block,) = blocks("console")
    steps = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    return [(command, said, session.run(command, said.count("\n"))) for command, said in steps]


def test_the_transcript_is_what_its_commands_print(
    transcript: list[tuple[str, str, str]],
) -> None:
    assert len(transcript) == 6
    for command, said, printed in transcript:
        assert told(printed) == told(said), command


def test_the_tree_is_what_the_bucket_holds(
    transcript: list[tuple[str, str, str]], folder: Path
) -> None:
    assert transcript
    (tree,) = (block for block in blocks("") if block.startswith("registry\n"))
    drawn = {line.lstrip("│├└─ ").split()[0] for line in tree.splitlines()}
    held = {path.name for path in folder.glob("registry/**/*")}
    assert drawn - {"registry"} == {"…" if len(name) == 64 else name for name in held}


def test_the_snippets_take_another_model_to_a_passed_test(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    push, test = blocks("python")
    (settings,) = blocks("toml")
    (tmp_path / "greenroom.toml").write_text(settings, "utf-8")
    (tmp_path / "model_tests").mkdir()
    (tmp_path / "model_tests" / "test_iris.py").write_text(test, "utf-8")
    (tmp_path / "push.py").write_text(push, "utf-8")
    session = Session(tmp_path, environment)
    assert session.run("python push.py", 1) == "iris@1\n"
    assert "iris@1 passed: 1 of 1 tests passed" in session.run("greenroom test", 3)
    assert "iris@1 is live" in session.run("greenroom promote --to production", 1)


def test_the_table_names_every_command() -> None:
    from greenroom.cli import cli

    assert set(re.findall(r"^\| `greenroom (\w+)", README, re.MULTILINE)) == set(cli.commands)
