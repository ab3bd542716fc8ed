from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.errors import Fault, InvalidRows
from greenroom.schema import Field, Row, Schema, rows_from_json

SCHEMA = Schema(
    inputs=(Field("a", "float64"), Field("b", "float64"), Field("c", "float64")),
    outputs=(Field("predictions", "string"),),
)

finite = st.floats(allow_nan=False, allow_infinity=False)
row = st.lists(finite, min_size=3, max_size=3)
anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
any_json = st.recursive(
    anything, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner)
)
# Random JSON is hardly ever nearly right, so this is: rows and records with one thing amiss.
value = finite | st.integers() | anything
nearly_record = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), value, min_size=2)
nearly_right = st.lists(
    st.lists(value, min_size=2, max_size=4) | nearly_record | value, max_size=3
)


def rows_or_faults(body: object) -> tuple[list[Row], tuple[Fault, ...]]:
    try:
        return rows_from_json(SCHEMA, body), ()
    except InvalidRows as error:
        return [], error.faults


@given(st.lists(row, min_size=1))
def test_any_rows_of_finite_floats_come_back_as_they_are(rows: list[list[float]]) -> None:
    sent = msgspec.json.decode(msgspec.json.encode(rows))
    assert rows_from_json(SCHEMA, sent) == rows


@given(row, st.permutations("abc"))
def test_a_record_is_put_into_the_models_order(values: list[float], order: list[str]) -> None:
    named = dict(zip("abc", values, strict=True))
    record = {name: named[name] for name in order}
    assert rows_from_json(SCHEMA, [record, values]) == [values, values]


@given(row)
def test_one_row_or_record_may_come_without_a_list_around_it(values: list[float]) -> None:
    assert rows_from_json(SCHEMA, values) == [values]
    assert rows_from_json(SCHEMA, dict(zip("abc", values, strict=True))) == [values]


@given(any_json | nearly_right)
def test_any_json_gives_whole_rows_or_named_faults(body: Any) -> None:
    rows, faults = rows_or_faults(body)
    assert bool(rows) != bool(faults)
    assert len(faults) <= 20
    for found in rows:
        assert [type(number) for number in found] == [float, float, float]
        assert all(map(math.isfinite, found))


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (None, "must be a number, not null"),
        (True, "must be a number, not a boolean"),
        ("1.5", "must be a number, not a string"),
        ([1.5], "must be a number, not a list"),
        ({"x": 1}, "must be a number, not an object"),
        (math.nan, "must be a finite number"),
        (-math.inf, "must be a finite number"),
        (10**400, "is too large"),
    ],
)
def test_what_is_no_finite_number_is_named_with_its_row_and_field(
    sent: object, problem: str
) -> None:
    expected = (Fault(1, "b", problem),)
    assert rows_or_faults([[1, 2, 3], [1, sent, 3]]) == ([], expected)
    assert rows_or_faults([[1, 2, 3], {"c": 3, "b": sent, "a": 1}]) == ([], expected)


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ("abc", [Fault(None, None, "send a row, a record, or a list of them")]),
        (None, [Fault(None, None, "send a row, a record, or a list of them")]),
        ([], [Fault(None, None, "there are no rows")]),
        ([1, 2], [Fault(0, None, "has 2 values where 3 are expected: a, b, c")]),
        ([[1, 2, 3], []], [Fault(1, None, "has 0 values where 3 are expected: a, b, c")]),
        ([[1, 2, 3], 5], [Fault(1, None, "must be a row or a record, like the first")]),
        ({"a": 1, "c": 3}, [Fault(0, "b", "is missing")]),
        (
            [{"a": 1, "b": 2, "C": 3}],
            [Fault(0, "c", "is missing"), Fault(0, "C", "is not an input of this model")],
        ),
    ],
)
def test_a_body_of_the_wrong_shape_is_told_what_is_wrong(
    body: object, faults: list[Fault]
) -> None:
    assert rows_or_faults(body) == ([], tuple(faults))


def test_a_body_of_faults_is_answered_with_the_first_twenty() -> None:
    _, faults = rows_or_faults([[1, 2, "x"]] * 500)
    assert [fault.row for fault in faults] == list(range(20))


def test_the_labels_are_those_of_the_output_that_has_them(version: Any) -> None:
    assert SCHEMA.labels is None
    assert version.manifest.schema.labels == ("benign", "malignant")
