from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from greenroom.errors import Fault, InvalidRows
from greenroom.schema import Field, Schema
from greenroom.serving.limits import MOST_ROWS, RequestRefused
from greenroom.serving.live import Live
from greenroom.serving.protocols import read_rows, write_answers, write_refusal

if TYPE_CHECKING:
    from greenroom.registry import Registry

INPUTS = (Field("age", "float64"), Field("bmi", "float64"))
ROWS = [[50.0, 25.5], [40.0, 31.0], [61.0, 20.5]]
SCHEMA = Schema(INPUTS, (Field("predictions", "int64"),))


def answered(registry: Registry, estimator: object) -> dict[str, Any]:
    """Give the body that a model answers ROWS with."""
    registry.push("diabetes", estimator, ROWS)
    registry.promote("diabetes", "production", force=True, reason="a test")
    live = Live(registry, "diabetes", "production")
    live.poll()
    assert live.served is not None
    body = write_answers(live.served.predictor.answer(ROWS), live.served)
    decoded: dict[str, Any] = msgspec.json.decode(body)
    return decoded


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b"[50, 25.5]", [[50.0, 25.5]]),
        (b"[[50, 25.5], [1, 2]]", [[50.0, 25.5], [1.0, 2.0]]),
        (b'{"bmi": 25.5, "age": 50}', [[50.0, 25.5]]),
        (b'[{"age": 50, "bmi": 25.5}, [1, 2]]', [[50.0, 25.5], [1.0, 2.0]]),
        (b" [ 5e1 , -0 ] \n", [[50.0, 0.0]]),
    ],
)
def test_rows_are_read_from_every_shape(body: bytes, rows: list[list[float]]) -> None:
    assert read_rows(body, SCHEMA) == rows


def test_faults_of_all_rows_are_told_together() -> None:
    with pytest.raises(InvalidRows) as error:
        read_rows(b'[["x", 1], [1, 2], {"age": 1}]', SCHEMA)
    assert error.value.faults == (
        Fault(0, "age", "must be a number, not a string"),
        Fault(2, "bmi", "is missing"),
    )


def test_more_rows_than_one_request_may_hold_are_refused_unread() -> None:
    with pytest.raises(RequestRefused) as refusal:
        read_rows(msgspec.json.encode(["x"] * (MOST_ROWS + 1)), SCHEMA)
    assert refusal.value.status == 413


def test_probabilities_are_given_by_label(registry: Registry) -> None:
    estimator = LogisticRegression().fit(ROWS, ["no", "yes", "yes"])
    answer = answered(registry, estimator)
    assert (answer["model"], answer["version"]) == ("diabetes", 1)
    assert answer["predictions"] == estimator.predict(ROWS).tolist()
    for given, (no, yes) in zip(
        answer["probabilities"], estimator.predict_proba(ROWS), strict=True
    ):
        assert given == {"no": pytest.approx(no), "yes": pytest.approx(yes)}


def test_an_answer_without_probabilities_has_no_such_field(registry: Registry) -> None:
    answer = answered(registry, LinearRegression().fit(ROWS, [1.0, 2.0, 3.0]))
    assert answer["predictions"] == pytest.approx([1.0, 2.0, 3.0])
    assert "probabilities" not in answer


def test_a_refusal_holds_its_faults_as_data() -> None:
    refusal = write_refusal("row 0, field age: is missing", (Fault(0, "age", "is missing"),))
    assert msgspec.json.decode(refusal) == {
        "error": "row 0, field age: is missing",
        "details": [{"row": 0, "field": "age", "problem": "is missing"}],
    }
