from __future__ import annotations

import math

import pytest

from greenroom.examples import Answers, compare

INF = math.inf
HALVES = [0.5, 0.5]


@pytest.mark.parametrize(
    ("expected", "given", "difference"),
    [
        # Labels are equal or not.
        (Answers(["a", "b"]), Answers(["a", "b"]), 0.0),
        (Answers(["a", "b"]), Answers(["a", "c"]), INF),
        (Answers([1, 0]), Answers([1, 1]), INF),
        (Answers([1]), Answers(["1"]), INF),
        # Numbers differ relatively where they are large, absolutely where they are small.
        (Answers([1000.0]), Answers([1001.0]), 0.001),
        (Answers([-1000.0]), Answers([-1001.0]), 0.001),
        (Answers([0.0]), Answers([0.25]), 0.25),
        (Answers([2.0]), Answers([2]), 0.0),
        # Probabilities differ absolutely, and count only where the labels are equal.
        (Answers(["a"], [HALVES]), Answers(["a"], [[0.25, 0.75]]), 0.25),
        (Answers(["a"], [HALVES]), Answers(["b"], [HALVES]), INF),
        (Answers(["a"], [HALVES]), Answers(["a"], None), INF),
        (Answers(["a"], [HALVES]), Answers(["a"], [[0.5, 0.25, 0.25]]), INF),
        # As many answers as rows.
        (Answers(["a", "b"]), Answers(["a"]), INF),
        (Answers([]), Answers(["a"]), INF),
    ],
)
def test_answers_differ_by(expected: Answers, given: Answers, difference: float) -> None:
    assert compare(expected, given).largest_difference == pytest.approx(difference)


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        (Answers([1.0, 2.0]), Answers([math.nan, 2.0])),
        (Answers([math.nan]), Answers([math.nan])),
        (Answers([INF]), Answers([INF])),
        (Answers(["a"], [HALVES]), Answers(["a"], [[math.nan, 0.5]])),
        (Answers(["a"], [HALVES]), Answers(["a"], [[0.5, math.nan]])),
    ],
)
@pytest.mark.parametrize("tolerance", [0.1, 1e300])
def test_what_is_no_number_never_agrees(
    expected: Answers, given: Answers, tolerance: float
) -> None:
    assert not compare(expected, given).within(tolerance)


def test_a_difference_as_large_as_the_tolerance_is_within_it() -> None:
    comparison = compare(Answers([0.0]), Answers([0.25]))
    assert comparison.within(0.25)
    assert not comparison.within(0.24)


@pytest.mark.parametrize("bad", [0.75, math.nan])
def test_the_row_that_is_furthest_off_is_explained(bad: float) -> None:
    comparison = compare(Answers([0.5, 0.5, 0.5]), Answers([0.5, bad, 0.625]))
    assert comparison.worst_row == 1
    assert comparison.explanation == f"row 1: 0.5 became {bad}"


def test_probabilities_are_explained_with_their_label() -> None:
    comparison = compare(Answers(["a"], [HALVES]), Answers(["b"], [[0.25, 0.75]]))
    assert comparison.explanation == "row 0: 'a' [0.5, 0.5] became 'b' [0.25, 0.75]"
