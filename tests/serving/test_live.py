from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from greenroom import bundle, layout, ledger
from greenroom.errors import StoreUnreachable
from greenroom.examples import Examples
from greenroom.manifest import EXAMPLES, MODEL
from greenroom.registry import Registry
from greenroom.serving.live import Live
from greenroom.store import LocalStore

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

    from greenroom.examples import Answers


@pytest.fixture(scope="module")
def two_versions(
    tmp_path_factory: pytest.TempPathFactory,
    estimator: Pipeline,
    better_estimator: Pipeline,
    rows: pd.DataFrame,
) -> Path:
    """A registry of diabetes@1, live in production, and diabetes@2."""
    path = tmp_path_factory.mktemp("registry")
    registry = Registry(LocalStore(path), author="ann")
    registry.push("diabetes", estimator, rows)
    registry.push("diabetes", better_estimator, rows)
    promote(registry, 1)
    return path


@pytest.fixture
def registry(two_versions: Path, tmp_path: Path) -> Registry:
    copy = shutil.copytree(two_versions, tmp_path / "registry")
    return Registry(LocalStore(copy), author="ann")


@pytest.fixture
def live(registry: Registry) -> Live:
    """Production, polled once: diabetes@1 answers."""
    live = Live(registry, "diabetes", "production")
    live.poll()
    assert number(live) == 1
    return live


def number(live: Live) -> int | None:
    return live.served.version.number if live.served else None


def is_up_to_date(live: Live, version: int) -> bool:
    return number(live) == version and live.failure is None


def promote(registry: Registry, version: int) -> None:
    registry.promote(f"diabetes@{version}", "production", force=True, reason="a test")


def blob(registry: Registry, version: int, path: str = MODEL) -> Path:
    file = registry.show(f"diabetes@{version}").manifest.file(path)
    return Path(registry.location, layout.blob(file.sha256))


def test_before_the_first_promotion_nothing_is_served(registry: Registry) -> None:
    live = Live(registry, "diabetes", "staging")
    live.poll()
    assert live.served is None
    assert live.failure == "nothing of diabetes is live in staging; there are: production"


def test_every_promotion_is_followed_there_and_back(registry: Registry, live: Live) -> None:
    answers: dict[int, Answers] = {}
    for version in (2, 1, 2):
        promote(registry, version)
        live.poll()
        assert is_up_to_date(live, version)
        assert live.served is not None
        answer = live.served.predictor.answer([live.served.example])
        assert answers.setdefault(version, answer) == answer
    assert answers[1] != answers[2]
    assert live.served
    assert live.served.promotion.sequence == 4


def test_what_a_request_began_with_is_not_changed_by_a_swap(
    registry: Registry, live: Live
) -> None:
    held = live.served
    promote(registry, 2)
    live.poll()
    assert held is not None
    assert held.version.number == 1
    assert live.served is not held


def test_a_promotion_of_the_same_version_is_told_without_loading_it_again(
    registry: Registry, live: Live
) -> None:
    assert live.served is not None
    predictor = live.served.predictor
    promote(registry, 2)
    promote(registry, 1)
    live.poll()
    assert live.served.promotion.sequence == 3
    assert live.served.predictor is predictor


def flip_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("path", [MODEL, EXAMPLES])
@pytest.mark.parametrize(
    ("damage", "told"),
    [(flip_a_byte, "do not have the digest"), (Path.unlink, "are not in the registry")],
)
def test_a_damaged_version_leaves_the_old_one_serving_until_it_is_mended(
    registry: Registry, live: Live, path: str, damage: Any, told: str
) -> None:
    promote(registry, 2)
    target = blob(registry, 2, path)
    whole = target.read_bytes()
    damage(target)
    live.poll()
    assert number(live) == 1
    assert live.failure is not None
    assert told in live.failure
    target.write_bytes(whole)
    live.poll()
    assert is_up_to_date(live, 2)


def test_a_version_that_answers_its_examples_otherwise_never_serves(
    registry: Registry, live: Live
) -> None:
    store = LocalStore(Path(registry.location))
    manifest = registry.show("diabetes@2").manifest
    examples = msgspec.json.decode(blob(registry, 2, EXAMPLES).read_bytes(), type=Examples)
    examples.answers.predictions[3] = 1 - int(examples.answers.predictions[3])
    altered = msgspec.json.encode(examples)
    bundle.upload(store, {EXAMPLES: altered})
    files = (manifest.file(MODEL), *bundle.describe({EXAMPLES: altered}))
    altered_manifest = msgspec.structs.replace(manifest, files=files, operation="another")
    ledger.append(store, layout.versions("diabetes"), altered_manifest)
    promote(registry, 3)
    live.poll()
    assert number(live) == 1
    assert live.failure is not None
    assert live.failure.startswith("diabetes@3 answers its examples wrongly: row 3")


def test_a_manifest_that_was_altered_after_its_promotion_never_serves(
    registry: Registry, live: Live
) -> None:
    promote(registry, 2)
    path = Path(registry.location, layout.numbered(layout.versions("diabetes"), 2))
    path.write_bytes(path.read_bytes() + b"\n")
    live.poll()
    assert number(live) == 1
    assert live.failure == (
        "diabetes@2 is not what was promoted: its manifest is gone or was altered"
    )


def test_a_gap_in_the_log_keeps_what_served_last(registry: Registry, live: Live) -> None:
    promote(registry, 2)
    promote(registry, 1)
    promote(registry, 2)
    gap = Path(registry.location, layout.numbered("models/diabetes/environments/production/", 2))
    gap.unlink()
    live.poll()
    assert number(live) == 1
    assert live.failure == "diabetes@production: entry 2 is missing from the log"


class Flaky(LocalStore):
    """A store whose listing can fail."""

    fault: Exception | None = None

    def keys(self, folder: str, after: str = "", limit: int | None = None) -> list[str]:
        if self.fault:
            raise self.fault
        return super().keys(folder, after, limit)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (StoreUnreachable("the store did not answer"), "the store did not answer"),
        (ZeroDivisionError(), "unexpected failure; see the server's log"),
    ],
)
def test_a_poll_that_fails_keeps_what_served_and_the_next_catches_up(
    registry: Registry, caplog: pytest.LogCaptureFixture, fault: Exception, told: str
) -> None:
    store = Flaky(Path(registry.location))
    live = Live(Registry(store, author="ann"), "diabetes", "production")
    live.poll()
    store.fault = fault
    promote(registry, 2)
    live.poll()
    live.poll()
    assert number(live) == 1
    assert live.failure == told
    assert caplog.messages.count(told) == 1
    store.fault = None
    live.poll()
    assert is_up_to_date(live, 2)
