"""Rows stored with a version, the answers its author's model gave, and how answers compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from greenroom.schema import Label, Row  # noqa: TC001  # msgspec reads the types

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT = 1000


class Answers(msgspec.Struct, frozen=True):
    """What a model says of n rows: n predictions, and n × classes probabilities if it can."""

    predictions: list[Label]
    probabilities: list[list[float]] | None = None


class Examples(msgspec.Struct, frozen=True):
    """Rows of finite floats in the schema's order, and the author's own model's answers."""

    rows: list[Row]
    answers: Answers


@dataclass(frozen=True)
class Comparison:
    """How far given answers are from expected ones; `worst_row` has the largest difference."""

    largest_difference: float
    worst_row: int
    explanation: str

    def within(self, tolerance: float) -> bool:
        """Tell whether the answers agree; a difference that is no number never does."""
        return self.largest_difference <= tolerance


def compare(expected: Answers, given: Answers) -> Comparison:
    """Compare answers row by row.

    Labels must be equal (their difference is 0 or infinite); probabilities differ absolutely;
    numbers relatively where they are larger than 1.
    """
    if len(given.predictions) != len(expected.predictions):
        wanted = f"{len(given.predictions)} answers for {len(expected.predictions)} rows"
        return Comparison(float("inf"), 0, wanted)
    differences = [_difference(expected, given, row) for row in range(len(expected.predictions))]
    worst = max(range(len(differences)), key=lambda row: _badness(differences[row]))
    explanation = f"row {worst}: {_told(expected, worst)} became {_told(given, worst)}"
    return Comparison(differences[worst], worst, explanation)


def _difference(expected: Answers, given: Answers, row: int) -> float:
    wanted, got = expected.predictions[row], given.predictions[row]
    if expected.probabilities is None:
        if isinstance(wanted, float) and isinstance(got, int | float):
            return abs(wanted - got) / max(1.0, abs(wanted))
        return 0.0 if wanted == got else float("inf")
    if wanted != got or given.probabilities is None:
        return float("inf")
    return _largest_gap(expected.probabilities[row], given.probabilities[row])


def _largest_gap(wanted: Sequence[float], got: Sequence[float]) -> float:
    if len(wanted) != len(got):
        return float("inf")
    return max((abs(w - g) for w, g in zip(wanted, got, strict=True)), key=_badness, default=0.0)


def _badness(difference: float) -> float:
    return float("inf") if difference != difference else difference  # noqa: PLR0124  # NaN


def _told(answers: Answers, row: int) -> str:
    if answers.probabilities is None:
        return repr(answers.predictions[row])
    return f"{answers.predictions[row]!r} {answers.probabilities[row]}"
