"""A writer that is killed at any store call leaves the old or the new state, never a broken one.

Running the command again completes what was begun.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
import pytest
from sklearn.linear_model import LinearRegression

from greenroom.errors import NotFound
from greenroom.log import Log
from greenroom.registry import Registry
from greenroom.store import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = [[0.0], [1.0]]
WRITER = Path(__file__).with_name("killed_writer.py")


def line(slope: float) -> LinearRegression:
    return LinearRegression().fit(ROWS, [0.0, slope])


@pytest.fixture
def survivors(tmp_path: Path) -> Callable[[str, int, int], list[Registry]]:
    """Kill a writer at each of its store calls; give the registries that it left behind."""

    def kill(verb: str, versions: int, promoted: int) -> list[Registry]:
        seed = Registry(LocalStore(tmp_path / "seed"), author="ann")
        for number in range(1, versions + 1):
            seed.push("line", line(number), ROWS)
        for number in range(1, promoted + 1):
            seed.promote(f"line@{number}", "production", force=True, reason="set up")
        joblib.dump(line(versions + 1), tmp_path / "line.joblib")
        place = tmp_path / "killed"
        subprocess.run(
            [sys.executable, WRITER, tmp_path / "seed", place, verb], cwd=tmp_path, check=True
        )
        return [Registry(LocalStore(left), author="ann") for left in sorted(place.iterdir())]

    return kill


def versions_of(registry: Registry, place: Path) -> list[int]:
    """Return the numbers of all versions, after pulling each of them whole."""
    try:
        versions = registry.list("line")
    except NotFound:  # not even begun
        return []
    for version in versions:
        assert registry.show(str(version)) == version
        registry.pull(str(version), place / Path(registry.location).name / version.digest)
    return [version.number for version in versions]


def entries_of(registry: Registry) -> list[tuple[str, int]]:
    log = registry.read_on(Log("line", "production"))
    return [(entry.body.kind, entry.body.version) for entry in log.entries]


@pytest.mark.parametrize("old", [0, 1], ids=["first", "second"])
def test_a_push_killed_at_any_store_call_is_not_there_or_whole_and_is_completed_by_another(
    survivors: Callable[[str, int, int], list[Registry]], tmp_path: Path, old: int
) -> None:
    before, after = list(range(1, old + 1)), list(range(1, old + 2))
    seen: list[list[int]] = []
    for registry in survivors("push", old, 0):
        found = versions_of(registry, tmp_path / "found")
        pushed = registry.push("line", line(old + 1), ROWS)
        assert (found, pushed.is_new) in [(before, True), (after, False)]
        assert versions_of(registry, tmp_path / "completed") == after
        seen.append(found)
    assert before in seen
    assert after in seen


def test_a_promotion_killed_at_any_store_call_has_happened_or_not_and_is_completed_by_another(
    survivors: Callable[[str, int, int], list[Registry]],
) -> None:
    before, after = [("force", 1)], [("force", 1), ("force", 2)]
    seen: list[bool] = []
    for registry in survivors("promote", 2, 1):
        found = entries_of(registry)
        again = registry.promote("line@2", "production", force=True, reason="because")
        assert (found, again.is_new) in [(before, True), (after, False)]
        assert entries_of(registry) == after
        seen.append(again.is_new)
    assert set(seen) == {True, False}


def test_a_rollback_killed_at_any_store_call_has_happened_or_not(
    survivors: Callable[[str, int, int], list[Registry]],
) -> None:
    before = [("force", 1), ("force", 2)]
    after = [*before, ("rollback", 1)]
    seen: list[bool] = []
    for registry in survivors("rollback", 2, 2):
        happened = entries_of(registry) == after
        if not happened:
            assert entries_of(registry) == before
            registry.rollback("line", "production")
        assert entries_of(registry) == after
        assert registry.live("line") == {"production": 1}
        seen.append(happened)
    assert set(seen) == {True, False}
