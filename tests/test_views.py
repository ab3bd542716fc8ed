from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom import views
from greenroom.registry import Registry, Training
from greenroom.verdict import TestResult, Verdict

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

VERDICT = Verdict(
    model="diabetes",
    version=7,
    digest="d" * 64,
    outcome="failed",
    reasons=("test_recall failed", "2 tests were deselected"),
    tests=(TestResult("test_parity", "passed", 0.1), TestResult("test_recall", "failed", 0.2)),
    metrics={},
    by="ann",
    at="2026-11-24T12:00:00+00:00",
    operation="0" * 32,
)


@pytest.fixture
def filled(registry: Registry, estimator: Pipeline, rows: pd.DataFrame) -> Registry:
    """A registry with diabetes@1, which was promoted twice."""
    training = Training(metrics={"recall": 0.987654}, parameters={"penalty": None})
    registry.push("diabetes", estimator, rows, training=training)
    registry.promote("diabetes", "staging", force=True, reason="a try")
    registry.promote("diabetes", "production", force=True, reason="line\nbreak \x1b[31mred")
    return registry


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    shown = views.table(("A", "LONG HEAD"), [("wide cell", 1), ("b", 0.123456)])
    assert shown.splitlines() == [
        "A          LONG HEAD",
        "wide cell  1",
        "b          0.1235",
    ]


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    assert views.table(("A",), [(None,)]).splitlines()[1] == "unknown"


@pytest.mark.parametrize(
    "text", ["a\nb", "a\rb", "a\tb", "a\x1bb", "a\x9bb", "a\u202eb", "a\u2028b", "a\udcffb"]
)
def test_nothing_commands_the_terminal_that_shows_it(text: str) -> None:
    assert views.printable(text) == "a�b"
    assert views.table((text,), [(text,)]) == "a�b\na�b"


def test_ordinary_text_of_any_script_is_shown_as_it_is() -> None:
    assert views.printable("Jürgen, 日本, 🙂, 50 %") == "Jürgen, 日本, 🙂, 50 %"


def test_versions_show_where_each_is_live_and_their_metrics(filled: Registry) -> None:
    shown = views.versions(filled.list("diabetes"), filled.live("diabetes"))
    assert shown.splitlines()[1].split("  ") == [
        "diabetes@1",
        "2026-11-24T12:00:00+00:00",
        "ann",
        "production, staging",
        "recall 0.9877",
    ]


def test_a_version_is_shown_with_everything_that_is_known(filled: Registry) -> None:
    version = filled.show("diabetes")
    lines = views.version(version, filled.verdicts(version)).splitlines()
    facts = dict(line.split("  ", 1) for line in lines[1:])
    shown = {name: value.strip() for name, value in facts.items()}
    assert lines[0] == "diabetes@1"
    assert shown["digest"] == version.digest
    assert shown["data"] == "unknown"
    assert shown["inputs"] == "mean radius, mean texture, mean perimeter, mean area"
    assert shown["parameters"] == "penalty unknown"
    assert shown["parity"].endswith("on 5 examples")
    assert shown["file model.onnx"].endswith(" bytes")


def test_a_verdict_is_one_line_with_every_reason() -> None:
    assert views.verdict(VERDICT) == (
        "diabetes@7 failed: 1 of 2 tests passed (test_recall failed; 2 tests were deselected)"
    )


def test_history_is_newest_first_and_one_line_an_entry(
    filled: Registry, better_estimator: Pipeline, rows: pd.DataFrame
) -> None:
    filled.push("diabetes", better_estimator, rows)
    filled.promote("diabetes@2", "production", force=True, reason="better")
    lines = views.history(filled.history("diabetes", "production")).splitlines()
    assert lines[0].split() == ["#", "KIND", "VERSION", "AT", "BY", "REASON"]
    assert [line.split()[:3] for line in lines[1:]] == [
        ["2", "force", "diabetes@2"],
        ["1", "force", "diabetes@1"],
    ]
    assert lines[2].endswith("line�break �[31mred")
