from __future__ import annotations

import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from greenroom import layout, ledger
from greenroom.documents import Stamp
from greenroom.errors import Corrupted, InvalidInput, NotFound, PromotionRefused, Refused
from greenroom.registry import Registry, Training
from greenroom.store import LocalStore
from greenroom.verdict import TestResult, TestRun, judge

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from sklearn.pipeline import Pipeline

    from greenroom.manifest import Parameter


@pytest.fixture(scope="module")
def seed(
    tmp_path_factory: pytest.TempPathFactory,
    estimator: Pipeline,
    better_estimator: Pipeline,
    rows: pd.DataFrame,
) -> Path:
    """A registry that holds three untested versions of tumours."""
    directory = tmp_path_factory.mktemp("seed") / "registry"
    registry = Registry(LocalStore(directory), author="ann")
    for pushed in (estimator, better_estimator, estimator):
        registry.push("tumours", pushed, rows)
    return directory


@pytest.fixture
def directory(seed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(seed, tmp_path / "registry"))


@pytest.fixture
def filled(directory: Path) -> Registry:
    """A registry that holds three untested versions of tumours."""
    return Registry(LocalStore(directory), author="ann")


def record(
    registry: Registry, store: LocalStore, reference: str, *, passed: bool = True, of: str = ""
) -> None:
    """Record a verdict as `greenroom test` would, for the digest `of` if it is given."""
    version = registry.show(reference)
    test = TestResult("test_accuracy", "passed" if passed else "failed", 0.1)
    run = TestRun(version.digest, 0 if passed else 1, (test,))
    verdict = judge(run, version, Stamp("ann", "2026-11-24T12:00:00+00:00", f"{passed}{of}"))
    verdict = msgspec.structs.replace(verdict, digest=of or version.digest)
    ledger.append(store, layout.verdicts("tumours", version.number), verdict)


def lived(registry: Registry, environment: str = "production") -> list[tuple[str, int]]:
    log = registry.history("tumours", environment)
    return [(entry.body.kind, entry.body.version) for entry in log.entries]


def test_a_version_is_pushed_only_when_something_changed(
    registry: Registry, estimator: Pipeline, better_estimator: Pipeline, rows: pd.DataFrame
) -> None:
    pushes = [
        registry.push("tumours", estimator, rows),
        registry.push("tumours", estimator, rows),
        registry.push("tumours", estimator, rows.head(4)),
        registry.push("tumours", better_estimator, rows.head(4)),
        registry.push("tumours", estimator, rows.head(4)),
        registry.push("tumours", estimator, rows.head(4), training=Training(metrics={"auc": 0.9})),
    ]
    assert [(str(pushed.version), pushed.is_new) for pushed in pushes] == [
        ("tumours@1", True),
        ("tumours@1", False),
        ("tumours@2", True),
        ("tumours@3", True),
        ("tumours@4", True),
        ("tumours@5", True),
    ]
    assert [v.digest for v in registry.list("tumours")] == [
        pushed.version.digest for pushed in pushes if pushed.is_new
    ]


def test_how_a_version_came_to_be_is_kept(
    registry: Registry,
    estimator: Pipeline,
    rows: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(_repository(tmp_path / "work"))
    Path("rows.csv").write_text("a,b\n1,2\n")
    Path("plot.svg").write_text("<svg/>")
    parameters: dict[str, Parameter] = {
        "C": 1.0,
        "solver": "lbfgs",
        "seed": None,
        "scaled": True,
        "steps": 100,
    }
    metrics = {"roc_auc": 0.97}
    training = Training(parameters, metrics, ["plot.svg"], "rows.csv")
    manifest = registry.push("tumours", estimator, rows, training=training).version.manifest
    assert (manifest.parameters, manifest.metrics) == (parameters, metrics)
    assert manifest.file("attachments/plot.svg").sha256 == sha256(b"<svg/>").hexdigest()
    assert manifest.lineage.data_sha256 == sha256(b"a,b\n1,2\n").hexdigest()
    assert manifest.lineage.git_commit == _git("rev-parse", "HEAD")
    assert manifest.lineage.git_dirty is True
    assert manifest.lineage.estimator == "sklearn.pipeline.Pipeline"
    assert (manifest.by, manifest.at) == ("ann", "2026-11-24T12:00:00+00:00")


def _repository(directory: Path) -> Path:
    directory.mkdir()
    names = ["-c", "user.name=ann", "-c", "user.email=ann@example.com"]
    _git("init", "--quiet", at=directory)
    _git(*names, "commit", "--quiet", "--allow-empty", "--message", "Begin", at=directory)
    return directory


def _git(*arguments: str, at: Path | None = None) -> str:
    command = ["git", "-c", "commit.gpgsign=false", *arguments]  # whatever the machine signs
    return subprocess.run(
        command, cwd=at, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_what_is_unknown_is_recorded_as_none(
    registry: Registry,
    estimator: Pipeline,
    rows: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    lineage = registry.push("tumours", estimator, rows).version.manifest.lineage
    assert (lineage.git_commit, lineage.git_dirty, lineage.data_sha256) == (None, None, None)


@pytest.mark.parametrize(
    ("attachments", "data", "told"),
    [
        (["missing.svg"], None, "attachment .*missing.svg cannot be read: No such file"),
        (["."], None, "cannot name an attachment"),
        (["bad\nname.svg"], None, "cannot name an attachment: give a plain file name"),
        (["one/plot.svg", "two/plot.svg"], None, "two attachments are named plot.svg"),
        ([], "missing.csv", "data file missing.csv cannot be read"),
    ],
)
def test_a_push_that_cannot_keep_its_record_leaves_the_registry_as_it_was(
    *,
    filled: Registry,
    directory: Path,
    estimator: Pipeline,
    rows: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    attachments: list[str],
    data: str | None,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one/plot.svg", "two/plot.svg", "bad\nname.svg"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(name)
    before = _everything(directory)
    training = Training(attachments=attachments, data=data, metrics={"auc": 0.5})
    with pytest.raises(InvalidInput, match=told):
        filled.push("tumours", estimator, rows, training=training)
    assert _everything(directory) == before


def _everything(directory: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_a_refused_push_begins_no_registry(
    tmp_path: Path, registry: Registry, estimator: Pipeline, rows: pd.DataFrame
) -> None:
    with pytest.raises(InvalidInput, match="cannot be the name of a model"):
        registry.push("Tumours!", estimator, rows)
    with pytest.raises(InvalidInput, match="needs examples"):
        registry.push("tumours", estimator, None)
    assert not (tmp_path / "registry").exists()


def test_progress_is_told_up_to_the_last_byte(
    tmp_path: Path, estimator: Pipeline, rows: pd.DataFrame
) -> None:
    told: list[tuple[int, int]] = []
    registry = Registry(
        LocalStore(tmp_path), author="ann", progress=lambda done, total: told.append((done, total))
    )
    manifest = registry.push("tumours", estimator, rows).version.manifest
    total = sum(file.size for file in manifest.files)
    assert told == sorted(told)
    assert told[-1] == (total, total)


def test_a_test_run_is_recorded_and_lets_its_version_go_live(
    filled: Registry, tmp_path: Path
) -> None:
    tests = tmp_path / "test_model.py"
    tests.write_text("def test_answers(candidate, examples): candidate.predict(examples.rows)")
    verdict = filled.test("tumours@2", [tests], "production")
    assert (verdict.outcome, verdict.version, verdict.by) == ("passed", 2, "ann")
    stored = filled.verdicts(filled.show("tumours@2"))
    assert [found.body for found in stored] == [verdict]
    promoted = filled.promote("tumours@2", "production")
    assert promoted.promotion.verdicts == (stored[0].digest,)
    assert promoted.promotion.kind == "promote"
    assert lived(filled) == [("promote", 2)]


def test_an_untested_version_is_refused(filled: Registry) -> None:
    with pytest.raises(PromotionRefused) as refusal:
        filled.promote("tumours@1", "production")
    assert str(refusal.value) == (
        "promotion of tumours@1 to production refused: "
        "it has not been tested; run: greenroom test tumours@1"
    )
    assert filled.live("tumours") == {}


def test_a_version_whose_newest_run_failed_is_refused(filled: Registry, directory: Path) -> None:
    record(filled, LocalStore(directory), "tumours@1", passed=True)
    record(filled, LocalStore(directory), "tumours@1", passed=False)
    with pytest.raises(
        PromotionRefused, match=r"newest test run failed \(test_accuracy failed\); mend it"
    ):
        filled.promote("tumours@1", "production")
    record(filled, LocalStore(directory), "tumours@1", passed=True)
    assert filled.promote("tumours@1", "production").is_new


def test_a_verdict_for_other_bytes_does_not_count(filled: Registry, directory: Path) -> None:
    other = filled.show("tumours@2").digest
    record(filled, LocalStore(directory), "tumours@1", passed=True, of=other)
    with pytest.raises(PromotionRefused, match="it has not been tested"):
        filled.promote("tumours@1", "production")


def test_a_manifest_altered_after_its_test_is_untested(filled: Registry, directory: Path) -> None:
    record(filled, LocalStore(directory), "tumours@1")
    alter(directory, 1)
    with pytest.raises(PromotionRefused, match="it has not been tested"):
        filled.promote("tumours@1", "production")


def alter(directory: Path, version: int) -> None:
    manifest = directory / layout.numbered("models/tumours/versions/", version)
    manifest.write_bytes(manifest.read_bytes().replace(b'"ann"', b'"eve"'))


def test_force_needs_a_reason_and_is_recorded_as_what_it_is(filled: Registry) -> None:
    with pytest.raises(PromotionRefused, match="a forced promotion needs a reason: add --reason"):
        filled.promote("tumours@1", "production", force=True)
    promotion = filled.promote("tumours@1", "production", force=True, reason="outage").promotion
    assert (promotion.kind, promotion.reason, promotion.by) == ("force", "outage", "ann")
    assert lived(filled) == [("force", 1)]


def test_promoting_what_is_live_already_changes_nothing(filled: Registry) -> None:
    first = filled.promote("tumours@1", "production", force=True, reason="first")
    for again in (
        filled.promote("tumours@1", "production"),
        filled.promote("tumours@1", "production", force=True, reason="second"),
    ):
        assert not again.is_new
        assert again.promotion == first.promotion
    assert lived(filled) == [("force", 1)]


class Overtaken(LocalStore):
    """A store in which somebody else is quicker, once: just before our next promotion."""

    def __init__(self, root: Path, overtake: Callable[[], object]) -> None:
        super().__init__(root)
        self._overtake = [overtake]

    def create(self, key: str, data: bytes) -> bool:
        if "/environments/" in key and self._overtake:
            self._overtake.pop()()
        return super().create(key, data)


@pytest.mark.parametrize(
    "decide",
    [
        lambda slow: slow.promote("tumours@1", "production", force=True, reason="slower"),
        lambda slow: slow.rollback("tumours", "production"),
    ],
    ids=["promotion", "rollback"],
)
def test_a_decision_on_an_old_log_is_refused_because_the_champion_moved(
    filled: Registry, directory: Path, decide: Callable[[Registry], object]
) -> None:
    for number in (1, 2):
        filled.promote(f"tumours@{number}", "production", force=True, reason="set up")
    slow = Registry(
        Overtaken(
            directory,
            lambda: filled.promote("tumours@3", "production", force=True, reason="quicker"),
        ),
        author="ben",
    )
    with pytest.raises(PromotionRefused, match="production moved meanwhile; see its history"):
        decide(slow)
    assert lived(filled) == [("force", 1), ("force", 2), ("force", 3)]


def test_each_rollback_goes_one_step_further_back(filled: Registry, directory: Path) -> None:
    for number in (1, 2, 3):
        record(filled, LocalStore(directory), f"tumours@{number}")
        filled.promote(f"tumours@{number}", "production")
    assert filled.rollback("tumours", "production", reason="worse").version == 2
    assert filled.rollback("tumours", "production").version == 1
    with pytest.raises(PromotionRefused, match="nothing was live in production before"):
        filled.rollback("tumours", "production")
    assert lived(filled)[3:] == [("rollback", 2), ("rollback", 1)]
    entries = filled.history("tumours", "production").entries
    assert entries[3].body.reason == "worse"
    assert entries[3].body.verdicts == entries[1].body.verdicts


@pytest.mark.parametrize("damaged", ["bundle", "manifest"])
def test_a_rollback_to_altered_bytes_is_refused_and_the_log_is_left_as_it_was(
    filled: Registry, directory: Path, damaged: str
) -> None:
    for number in (1, 2):
        filled.promote(f"tumours@{number}", "production", force=True, reason="set up")
    if damaged == "bundle":
        model = filled.show("tumours@1").manifest.file("model.onnx")
        (directory / layout.blob(model.sha256)).write_bytes(b"altered")
    else:
        alter(directory, 1)
    with pytest.raises((Corrupted, Refused)) as refusal:
        filled.rollback("tumours", "production")
    assert damaged in str(refusal.value) or "model.onnx" in str(refusal.value)
    assert lived(filled) == [("force", 1), ("force", 2)]


def test_there_is_no_rollback_before_the_first_promotion(filled: Registry) -> None:
    with pytest.raises(NotFound, match="nothing of tumours is live in production"):
        filled.rollback("tumours", "production")


ENVIRONMENTS = st.sampled_from(["production", "staging"])
VERSIONS = st.integers(1, 3)


class Life:
    """What an environment's log must hold, and which versions were live, oldest first."""

    def __init__(self) -> None:
        self.log: list[tuple[str, int]] = []
        self.lived: list[int] = []

    def enter(self, kind: str, version: int) -> None:
        self.log.append((kind, version))
        self.lived.append(version)


def test_whatever_is_done_the_logs_say_what_was_done(seed: Path) -> None:
    class Doing(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.place = TemporaryDirectory()
            directory = Path(self.place.name, "registry")
            shutil.copytree(seed, directory)
            self.store = LocalStore(directory)
            self.registry = Registry(self.store, author="ann")
            self.passed: dict[int, bool] = {}
            self.lives = {"production": Life(), "staging": Life()}

        def teardown(self) -> None:
            self.place.cleanup()

        @rule(version=VERSIONS, passed=st.booleans())
        def test(self, version: int, *, passed: bool) -> None:
            record(self.registry, self.store, f"tumours@{version}", passed=passed)
            self.passed[version] = passed

        @rule(version=VERSIONS, environment=ENVIRONMENTS, force=st.booleans())
        def promote(self, version: int, environment: str, *, force: bool) -> None:
            life, reference = self.lives[environment], f"tumours@{version}"
            is_live = life.lived[-1:] == [version]
            if not (is_live or force or self.passed.get(version)):
                with pytest.raises(PromotionRefused):
                    self.registry.promote(reference, environment)
                return
            done = self.registry.promote(reference, environment, force=force, reason="because")
            assert done.is_new != is_live
            if not is_live:
                life.enter("force" if force else "promote", version)

        @rule(environment=ENVIRONMENTS)
        def rollback(self, environment: str) -> None:
            life = self.lives[environment]
            if len(life.lived) < 2:
                with pytest.raises(PromotionRefused if life.lived else NotFound):
                    self.registry.rollback("tumours", environment)
                return
            assert self.registry.rollback("tumours", environment).version == life.lived[-2]
            life.lived.pop()
            life.log.append(("rollback", life.lived[-1]))

        @invariant()
        def the_logs_and_what_is_live_agree(self) -> None:
            begun = {name: life for name, life in self.lives.items() if life.log}
            assert self.registry.live("tumours") == {n: v.lived[-1] for n, v in begun.items()}
            assert {n: lived(self.registry, n) for n in begun} == {
                n: life.log for n, life in begun.items()
            }

    run_state_machine_as_test(
        Doing, settings=settings(max_examples=25, stateful_step_count=15, deadline=None)
    )
