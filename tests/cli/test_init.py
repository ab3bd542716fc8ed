from __future__ import annotations

import json
import os
import pty
import re
import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import joblib
import pytest

from greenroom.cli import cli, main
from greenroom.registry import Registry
from greenroom.store import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd
    from sklearn.pipeline import Pipeline

    Run = Callable[..., "Ended"]

COMMAND = [sys.executable, "-c", "from greenroom.cli import main; main()"]
COMMANDS = sorted(cli.commands)
PASSES = "def test_it_loads(candidate):\n    assert candidate.version.number > 1\n"
FAILS = "def test_recall():\n    assert False\n"


class Ended(NamedTuple):
    """How a command ended: its exit code, and what it wrote."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory,
    estimator: Pipeline,
    better_estimator: Pipeline,
    rows: pd.DataFrame,
) -> Path:
    """A project: estimators and rows as files, and a registry whose newest is diabetes@2."""
    path = tmp_path_factory.mktemp("project")
    joblib.dump(estimator, path / "model.joblib")
    rows.to_csv(path / "rows.csv", index=False)
    rows.assign(extra=1).to_csv(path / "wide.csv", index=False)
    rows.reindex([0, 1, -1]).to_csv(path / "holes.csv", index=False)
    (path / "checks").mkdir()
    (path / "checks" / "test_model.py").write_text(PASSES)
    (path / "greenroom.toml").write_text('registry = "r"\nmodel = "diabetes"\ntests = ["checks"]')
    registry = Registry(LocalStore(path / "r"), author="ann")
    registry.push("diabetes", better_estimator, rows)
    registry.promote("diabetes", "production", force=True, reason="a test")
    registry.push("diabetes", estimator, rows)
    return path


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "project")


@pytest.fixture
def run(project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in the project and tell how it ended."""
    monkeypatch.chdir(project)
    for name in ("REGISTRY", "MODEL", "AUTHOR"):
        monkeypatch.delenv(f"GREENROOM_{name}", raising=False)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["greenroom", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(int(str(ended.value.code)), *capfd.readouterr())

    return run


def done(ended: Ended) -> str:
    """Return what a command printed, after checking that it did its work."""
    assert ended.code == 0, ended.err
    return ended.out


def refused(ended: Ended, code: int) -> str:
    """Return why a command was refused, after checking that it was, in one line."""
    assert (ended.code, ended.out) == (code, ""), ended.err
    assert re.fullmatch(r"greenroom: .+\n", ended.err), ended.err
    return ended.err


PUSH = ("push", "model.joblib", "--examples", "rows.csv")


REFUSALS: list[tuple[tuple[str, ...], int, str]] = [
    (("push", "rows.csv", "--examples", "rows.csv"), 2, "rows.csv is no saved estimator"),
    (("push", "none.joblib"), 3, "there is no file none.joblib; save"),
    (("push", "model.joblib"), 2, "a model needs examples"),
    (("push", "model.joblib", "--examples", "none.csv"), 3, "there is no file none.csv"),
    (("push", "model.joblib", "--examples", "model.joblib"), 2, "is no CSV file of rows"),
    (("push", "model.joblib", "--examples", "holes.csv"), 2, "row 2, field mean radius: is"),
    (("push", "model.joblib", "--examples", "wide.csv"), 2, "do not fit the model: unknown"),
    ((*PUSH, "--model", "Diabetes"), 2, "'Diabetes' cannot be the name of a model: use"),
    ((*PUSH, "--metric", "recall"), 2, "'recall' is not NAME=VALUE"),
    ((*PUSH, "--metric", "recall=high"), 2, "'high' is not a finite number"),
    ((*PUSH, "--metric", "recall=nan"), 2, "'nan' is not a finite number"),
    ((*PUSH, "--model", "other", "--tolerance", "inf"), 2, "cannot be stored"),
    ((*PUSH, "--attach", "none.png"), 2, "the attachment none.png cannot be read"),
    ((*PUSH, "--data", "none.csv"), 2, "the data file none.csv cannot be read"),
    (("show", "diabetes@9"), 3, "there is no diabetes@9; the newest is diabetes@2"),
    (("show", "diabets"), 3, "did you mean diabetes?"),
    (("show", "diabetes@prodution"), 3, "did you mean production?"),
    (("show", "diabetes@0"), 2, "'diabetes@0' is no version"),
    (("history", "staging"), 3, "nothing of diabetes is live in staging"),
    (("promote", "diabetes@2"), 1, "it has not been tested; run: greenroom test diabetes@2"),
    (("promote", "diabetes@2", "--force"), 1, "needs a reason: add --reason"),
    (("promote", "--force", "--reason", "\udcff"), 2, "cannot be stored"),
    (("rollback",), 1, "nothing was live in production before"),
    (("pull", "diabetes@1", "checks"), 2, "name a directory that does not exist yet"),
    (("test", "diabetes@2", "none"), 3, "there are no model tests at none"),
    (("serve", "--port", "70000"), 2, "70000 is not in the range"),
    (("--registry", "none", "list"), 3, "none is not a registry"),
    (("--registry", "checks", "list"), 3, "checks is not a registry"),
    (("--registry", "rows.csv", "list"), 3, "rows.csv is not a registry"),
    (("--registry", "checks", *PUSH), 1, "is not a registry and not empty"),
    (("--registry", "http://host/r", "list"), 2, "names no registry: use a directory or"),
    (("--registry", "s3://", "list"), 2, "cannot be opened"),
    (("--registry", "a\n\x1b[31mb", "list"), 3, "a��[31mb is not a registry"),
    (("lst",), 2, "No such command 'lst'"),
    (("list", "--jsn"), 2, "--json"),
    (("pull", "diabetes@1"), 2, "Missing argument 'DIRECTORY'; see greenroom --help"),
]


@pytest.mark.parametrize("case", REFUSALS, ids=[" ".join(words) for words, *_ in REFUSALS])
def test_a_refusal_is_one_line_and_an_exit_code(
    run: Run, case: tuple[tuple[str, ...], int, str]
) -> None:
    arguments, code, told = case
    assert told in refused(run(*arguments), code)


def test_a_directory_that_cannot_be_used_is_refused(run: Run, project: Path) -> None:
    (project / "loop").symlink_to("loop")
    assert "cannot be used" in refused(run("--registry", "loop", "list"), 1)


def test_a_bucket_out_of_reach_is_refused(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    (project / "greenroom.toml").write_text(
        f'registry = "s3://bucket/r"\n[store]\nendpoint = "http://127.0.0.1:{port}"'
    )
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert "did not answer" in refused(run("list"), 1)


def test_no_registry_named_is_refused_with_the_ways_to_name_one(run: Run, project: Path) -> None:
    (project / "greenroom.toml").unlink()
    assert "pass --registry, set GREENROOM_REGISTRY" in refused(run("list"), 2)
    assert "no model is named" in refused(run("--registry", "r", "show"), 2)


def test_without_arguments_the_usage_is_shown(run: Run) -> None:
    ended = run()
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Usage: greenroom [OPTIONS] COMMAND")


def test_help_names_every_command_and_exit_code(run: Run) -> None:
    text = done(run("--help"))
    assert all(f"\n  {name} " in text for name in COMMANDS)
    for meaning in ("0 done", "1 refused", "2 usage", "3 not found", "4 outcome unknown"):
        assert meaning in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(run: Run, name: str) -> None:
    text = done(run(name, "-h"))
    assert text.startswith(f"Usage: greenroom {name} ")
    assert str(cli.commands[name].help).split("\n")[0].split()[0] in text


def test_a_version_goes_from_push_to_rollback(run: Run, project: Path) -> None:
    """The whole story, each command leaving out what greenroom.toml says."""
    (project / "plot.txt").write_text("a plot")
    pushed = run(*PUSH, "--metric", "recall=0.9", "--parameter", "c=1", "--attach", "plot.txt")
    assert done(pushed) == "pushed diabetes@3\n"
    again = run(*PUSH, "--metric", "recall=0.9", "--parameter", "c=1", "--attach", "plot.txt")
    assert done(again) == "unchanged, diabetes@3\n"
    tested = run("test")
    assert done(tested) == "diabetes@3 passed: 1 of 1 tests passed\n"
    assert "1 passed" in tested.err
    live = "diabetes@3 is live in production (entry 2, promote)\n"
    assert done(run("promote", "--reason", "better")) == live
    assert "was live already" in done(run("promote"))
    rolled_back = "diabetes@1 is live again in production (entry 3, rollback)\n"
    assert done(run("rollback", "production")) == rolled_back
    assert [line.split()[1] for line in done(run("history")).splitlines()] == [
        "KIND",
        "rollback",
        "promote",
        "force",
    ]
    assert done(run("pull", "diabetes@3", "out")) == "pulled diabetes@3 into out\n"
    assert (project / "out" / "attachments" / "plot.txt").read_text() == "a plot"


def test_a_failed_test_run_is_recorded_and_exits_with_1(run: Run, project: Path) -> None:
    (project / "checks" / "test_model.py").write_text(FAILS)
    tested = run("test")
    assert tested.code == 1
    assert tested.out.startswith("diabetes@2 failed: 0 of 1 tests passed (")
    assert "its newest test run failed" in refused(run("promote"), 1)


def test_json_holds_the_facts_of_every_command_that_prints_some(run: Run, project: Path) -> None:
    def facts(*arguments: str) -> Any:
        return json.loads(done(run(*arguments, "--json")))

    listed = facts("list")
    assert listed["live"] == {"production": 1}
    assert [version["number"] for version in listed["versions"]] == [1, 2]
    shown = facts("show")
    assert shown["version"] == listed["versions"][1]
    assert shown["verdicts"] == []
    verdict = facts("test")
    assert (verdict["outcome"], verdict["digest"]) == ("passed", shown["version"]["digest"])
    promoted = facts("promote")
    assert (promoted["is_new"], promoted["promotion"]["version"]) == (True, 2)
    assert facts("rollback")["kind"] == "rollback"
    assert [entry["number"] for entry in facts("history")] == [1, 2, 3]
    pushed = facts(*PUSH)
    assert (pushed["is_new"], pushed["version"]["number"]) == (False, 2)
    assert facts("pull", "diabetes@2", "out") == shown["version"]
    (project / "greenroom.toml").write_text('registry = "r"')
    assert facts("list") == ["diabetes"]


def test_the_shell_completes_commands(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_GREENROOM_COMPLETE", "bash_source")
    assert "complete -o nosort -F _greenroom_completion greenroom" in done(run())
    monkeypatch.setenv("_GREENROOM_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "greenroom pro")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert done(run()) == "plain,promote\n"


def test_progress_is_drawn_on_a_terminal_and_nowhere_else(run: Run, project: Path) -> None:
    piped = run("--registry", "fresh", *PUSH)
    assert (done(piped), piped.err) == ("pushed diabetes@1\n", "")
    ours, theirs = pty.openpty()
    subprocess.run(
        [*COMMAND, "--registry", "other", *PUSH],
        cwd=project,
        stderr=theirs,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    os.close(theirs)
    drawn = os.read(ours, 65536).decode()
    os.close(ours)
    assert "storing [##############################] " in drawn


def test_the_command_line_starts_without_what_only_some_commands_need() -> None:
    heavy = ["numpy", "onnxruntime", "uvicorn", "obstore", "sklearn", "pandas", "pytest"]
    script = f"import sys, greenroom.cli; print([m for m in {heavy} if m in sys.modules])"
    started = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert started.stdout == "[]\n"
