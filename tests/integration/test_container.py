"""The image as it is built and run: what it answers, whom it runs as, what it does not hold."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.request import Request, urlopen

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    from sklearn.pipeline import Pipeline

    from greenroom.registry import Registry

    Run = Callable[..., "Container"]

pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[2]
IMAGE = "greenroom-under-test"
MOST_BYTES = 450_000_000
CURL = (
    'curl -X POST http://localhost:5000/predict -H "Content-Type: application/json" '
    "-d '[6, 148, 72, 35, 0, 33.6, 0.627, 50]'"
)


@dataclass(frozen=True)
class Engine:
    """Docker, or podman in its place."""

    command: tuple[str, ...]
    build_options: tuple[str, ...] = ()
    run_options: tuple[str, ...] = ()

    def attempt(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [*self.command, *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    def do(self, *words: str) -> str:
        done = self.attempt(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def inspect(self, name: str) -> Any:
        return json.loads(self.do("inspect", name))[0]

    def run_in_image(self, program: str, *words: str) -> str:
        entry = f"--entrypoint={program}"
        return self.do("run", *self.run_options, "--rm", entry, IMAGE, *words)


@dataclass(frozen=True)
class Container:
    engine: Engine
    name: str

    def answer(self, curl: str) -> Any:
        address = self.engine.do("port", self.name, "5000")
        words = shlex.split(curl.replace("localhost:5000", address))
        if shutil.which("curl"):
            return json.loads(subprocess.check_output([*words, "--silent", "--fail"]))
        *_, url, _, header, _, data = words
        with urlopen(Request(url, data.encode(), dict([header.split(": ")]))) as response:  # noqa: S310  # our own
            return json.load(response)

    def is_healthy(self) -> bool:
        """Ask as the image's HEALTHCHECK does, without waiting for the engine to."""
        kind, *words = self.engine.inspect(self.name)["Config"]["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.engine.attempt("exec", self.name, *words).returncode == 0

    def log(self) -> str:
        return self.engine.attempt("logs", self.name).stderr

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not is_so():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)


def docker() -> Engine | None:
    engine = Engine(("docker",))
    return engine if shutil.which("docker") and engine.attempt("info").returncode == 0 else None


def podman() -> Engine:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        cannot("Docker does not run here, and podman is set up only by root on Debian")
    script = Path(__file__).with_name("container_base.sh")
    made = subprocess.run([script], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        cannot(f"podman cannot be set up here: {made.stderr}")
    limits = ("--ulimit=nofile=1024:1024", "--ulimit=nproc=4096:4096")
    return Engine(
        command=("podman", "--runtime=runc", "--log-level=fatal"),
        # The format is Docker's own, which holds HEALTHCHECK.
        build_options=("--isolation=chroot", "--format=docker"),
        # Docker's --read-only leaves no writable /tmp.
        run_options=(*limits, "--read-only-tmpfs=false"),
    )


def cannot(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Whatever runs containers here, with the image built from this checkout."""
    shared = tmp_path_factory.getbasetemp().parent
    with (shared / "image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the second of pytest's workers finds it built
        engine = docker() or podman()
        engine.do("build", *engine.build_options, "--tag", IMAGE, ".")
    return engine


@pytest.fixture
def run(engine: Engine) -> Iterator[Run]:
    """Start a container that may write nothing, as `run(*options, command=…)`."""
    names = []

    def run(*options: str, command: tuple[str, ...] = ()) -> Container:
        hardened = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges")
        published = ("--detach", "--publish=127.0.0.1::5000")
        words = (*engine.run_options, *hardened, *published, *options, IMAGE, *command)
        names.append(engine.do("run", *words))
        return Container(engine, names[-1])

    yield run
    for name in names:
        engine.attempt("kill", name)
        engine.do("rm", "--force", name)


def test_with_no_setting_it_answers_with_the_example(run: Run) -> None:
    container = run()
    container.wait_until(container.is_healthy)
    answer = container.answer(CURL)
    assert (answer["model"], answer["version"]) == ("diabetes", 1)
    assert answer["predictions"] in ([0], [1])
    assert sum(answer["probabilities"][0].values()) == pytest.approx(1)


def test_it_follows_the_registry_that_it_is_given(
    run: Run,
    registry: Registry,
    estimator: Pipeline,
    better_estimator: Pipeline,
    rows: pd.DataFrame,
) -> None:
    def promote(estimator: Pipeline) -> None:
        version = registry.push("biopsy", estimator, rows).version
        registry.promote(str(version), "production", reason="test", force=True)

    def served() -> tuple[str, int]:
        answer = container.answer(curl)
        return answer["model"], answer["version"]

    curl = CURL.replace("[6, 148, 72, 35, 0, 33.6, 0.627, 50]", str(rows.iloc[0].tolist()))
    promote(estimator)
    container = run(
        f"--volume={registry.location}:/models:ro",
        "--env=GREENROOM_REGISTRY=/models",
        "--env=GREENROOM_MODEL=biopsy@production",
        command=("serve", "--host", "0.0.0.0", "--poll", "0.2"),  # noqa: S104  # the container's
    )
    container.wait_until(container.is_healthy)
    assert served() == ("biopsy", 1)
    promote(better_estimator)
    container.wait_until(lambda: served() == ("biopsy", 2))


def test_it_is_unhealthy_while_nothing_is_live(run: Run) -> None:
    container = run("--env=GREENROOM_MODEL=diabetes@staging")
    container.wait_until(lambda: "is live in staging" in container.log())
    assert not container.is_healthy()


def test_it_stops_cleanly_when_it_is_told_to(run: Run) -> None:
    container = run()
    container.wait_until(container.is_healthy)
    began = time.monotonic()
    container.engine.do("stop", container.name)
    assert time.monotonic() - began < 5
    assert container.engine.inspect(container.name)["State"]["ExitCode"] == 0


def test_it_runs_as_a_numbered_user_who_is_not_root(engine: Engine) -> None:
    user, group = engine.inspect(IMAGE)["Config"]["User"].split(":")
    assert min(int(user), int(group)) > 0


def test_it_holds_no_tool_for_building(engine: Engine) -> None:
    found = engine.run_in_image(
        "sh", "-c", "for it in cc gcc git make; do command -v $it || :; done"
    )
    assert not found


def test_it_holds_nothing_that_trains(engine: Engine) -> None:
    listed = json.loads(engine.run_in_image("pip", "list", "--format=json"))
    installed = {package["name"] for package in listed}
    assert "greenroom" in installed
    assert not installed & {"matplotlib", "onnx", "pandas", "pytest", "scikit-learn", "skl2onnx"}


def test_its_runtime_keeps_no_identifier_to_report_by(engine: Engine) -> None:
    load = "cd $(mktemp -d); HOME=$PWD python -c 'import greenroom.predictor'; ls -A"
    assert not engine.run_in_image("sh", "-c", load)


def test_it_is_small(engine: Engine) -> None:
    size = engine.inspect(IMAGE)["Size"]
    assert size < MOST_BYTES, f"the image has {size} bytes"
