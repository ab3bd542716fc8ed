from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from greenroom.errors import GreenroomError, InvalidInput, InvalidRows, Refused
from greenroom.examples import Examples
from greenroom.manifest import EXAMPLES, MODEL
from greenroom.packaging import package
from greenroom.predictor import Predictor

if TYPE_CHECKING:
    from collections.abc import Callable

    Table = tuple[pd.DataFrame, pd.Series]


class Doubling(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """A transformer of the author's own, which no converter knows."""

    def fit(self, rows: Any, _labels: Any = None) -> Doubling:
        self.fitted_ = rows is not None
        return self

    def transform(self, rows: Any) -> np.ndarray:
        return np.asarray(rows) * 2


class Answering(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose answer is whatever `answer` returns."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self.answer = answer

    def fit(self, _rows: Any, _labels: Any = None) -> Answering:
        self.fitted_ = True
        return self

    def predict(self, rows: Any) -> Any:
        return self.answer(rows)


class Foreign:
    """Something with `predict` that is not scikit-learn's."""

    def predict(self, rows: object) -> object:
        return rows


def _explode(_rows: object) -> None:
    raise ZeroDivisionError("division by zero at row 2")


@pytest.mark.parametrize(
    ("pushed", "told"),
    [
        ({}, "a dict is no model: push a fitted estimator that has `predict`"),
        ("model.joblib", "a str is no model"),
        (Foreign(), r"Foreign is not a scikit-learn estimator"),
        (LogisticRegression, "is not a scikit-learn estimator"),
        (LogisticRegression(), "not fitted: call `fit` before you push it"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "not fitted"),
    ],
)
def test_what_is_no_fitted_estimator_is_refused(
    rows: pd.DataFrame, pushed: object, told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        package(pushed, rows)


@pytest.mark.parametrize(
    ("examples", "told"),
    [
        (lambda _rows: None, "needs examples: give 1 to 1,000 rows"),
        (lambda _rows: 5, "needs examples"),
        (lambda rows: rows.head(0), "needs examples"),
        (lambda rows: pd.concat([rows] * 201), "1005 examples are too many: give at most 1000"),
        (lambda rows: rows.astype(object).replace(rows.iloc[0, 0], "wide"), "rows of numbers"),
        (lambda _rows: [[1.0, 2.0, 3.0, 4.0], [1.0]], "rows of numbers, all as long"),
        (lambda rows: [rows.to_numpy()], r"not of the shape \(1, 5, 4\)"),
        (lambda rows: rows.to_numpy()[0], r"not of the shape \(4,\)"),
        (lambda rows: rows.to_numpy()[:, :3], "have 3 columns where the model takes 4"),
        (lambda rows: rows.drop(columns="mean area"), "do not fit the model: missing mean area"),
        (lambda rows: rows.assign(weight=1), "do not fit the model: unknown weight"),
        (
            lambda rows: rows.rename(columns={"mean area": "area"}),
            "missing mean area; unknown area",
        ),
        (
            lambda rows: rows[rows.columns[::-1]],
            "order them mean radius, mean texture, mean perimeter, mean area",
        ),
    ],
)
def test_examples_that_do_not_fit_are_refused_with_what_is_wrong(
    estimator: Pipeline, rows: pd.DataFrame, examples: Callable[[pd.DataFrame], Any], told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        package(estimator, examples(rows))


@pytest.mark.parametrize("gap", [np.nan, np.inf])
def test_a_gap_in_the_examples_is_refused_by_row_and_field(
    estimator: Pipeline, rows: pd.DataFrame, gap: float
) -> None:
    holed = rows.copy()
    holed.iloc[3, 1] = gap
    with pytest.raises(InvalidRows) as refusal:
        package(estimator, holed)
    assert [(f.row, f.field) for f in refusal.value.faults] == [(3, "mean texture")]


def test_two_columns_of_one_name_are_refused(table: Table, rows: pd.DataFrame) -> None:
    nameless = LogisticRegression(max_iter=5000).fit(table[0].to_numpy(), table[1])
    with pytest.raises(InvalidInput, match="two columns of one name"):
        package(nameless, rows.set_axis(["a", "a", "b", "c"], axis=1))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (_explode, "the estimator itself cannot answer the examples: division by zero at row 2"),
        (lambda rows: np.zeros((len(rows), 2)), r"answers 5 rows in the shape \(5, 2\)"),
        (lambda _rows: [], r"answers 5 rows in the shape \(0,\)"),
    ],
)
def test_an_estimator_without_one_answer_a_row_is_refused(
    rows: pd.DataFrame, answer: Callable[[Any], Any], told: str
) -> None:
    with pytest.raises(GreenroomError, match=told):
        package(Answering(answer).fit(rows), rows)


@pytest.mark.parametrize(
    ("unconvertible", "told"),
    [
        (
            make_pipeline(StandardScaler(), Doubling(), LogisticRegression()),
            r"step 'doubling' \(Doubling\) cannot be converted to ONNX: ",
        ),
        (
            make_pipeline(FunctionTransformer(lambda rows: rows / 2), LogisticRegression()),
            r"step 'functiontransformer' \(FunctionTransformer\) cannot be converted",
        ),
        (HistGradientBoostingClassifier(max_iter=5), "^HistGradientBoostingClassifier cannot be"),
    ],
)
def test_an_estimator_that_cannot_be_converted_is_refused_with_the_step_and_ways_out(
    table: Table, rows: pd.DataFrame, unconvertible: Any, told: str
) -> None:
    with pytest.raises(Refused, match=told) as refusal:
        package(unconvertible.fit(*table), rows)
    assert "Ways out: " in str(refusal.value)


def test_a_conversion_that_answers_differently_is_refused_with_the_worst_row(
    table: Table,
) -> None:
    author = LinearDiscriminantAnalysis().fit(*table)
    examples = table[0].head(50)
    with pytest.raises(Refused, match=r"answers differently .*; 1e-05 is allowed") as refusal:
        package(author, examples)
    row = int(str(refusal.value).partition("row ")[2].partition(":")[0])
    theirs = author.predict_proba(examples)[row].tolist()
    assert f"row {row}: {author.predict(examples)[row]} {theirs} became" in str(refusal.value)


def test_a_tolerance_lets_a_difference_through_and_is_kept(table: Table) -> None:
    author = LinearDiscriminantAnalysis().fit(*table)
    parity = package(author, table[0].head(50), tolerance=0.5).parity
    assert (parity.rows, parity.tolerance) == (50, 0.5)
    assert 0.01 < parity.largest_difference < 0.5


def test_no_tolerance_lets_another_label_through(table: Table) -> None:
    author = TunedThresholdClassifierCV(LogisticRegression(max_iter=5000), cv=2, scoring="recall")
    author.fit(*table)
    with pytest.raises(Refused, match=r"the labels differ.*Push another kind of estimator"):
        package(author, table[0].head(200), tolerance=1e6)


@pytest.mark.parametrize(
    ("labels", "kind", "classes"),
    [
        (lambda y: y, "int64", (0, 1)),
        (lambda y: y.map({0: "malignant", 1: "benign"}), "string", ("benign", "malignant")),
        (lambda y: y.astype(bool), "bool", (False, True)),
        (lambda y: y.astype(float), "float64", (0.0, 1.0)),
    ],
)
def test_labels_of_every_kind_are_answered_as_they_were_taught(
    table: Table,
    labels: Callable[[pd.Series], pd.Series],
    kind: str,
    classes: tuple[object, ...],
) -> None:
    author = make_pipeline(StandardScaler(), LogisticRegression())
    author.fit(table[0], labels(table[1]))
    packaged = package(author, table[0].head(50))
    assert [field.type for field in packaged.schema.outputs] == [kind, "float64"]
    assert packaged.schema.labels == classes
    assert {type(label) for label in packaged.schema.labels or ()} == {type(classes[0])}
    served = Predictor(packaged.files[MODEL], packaged.schema).predict(table[0].head(50))
    assert served.tolist() == author.predict(table[0].head(50)).tolist()


@pytest.mark.parametrize(
    "author",
    [
        make_pipeline(StandardScaler(), Ridge()),
        RandomForestRegressor(5, random_state=0),
        RandomForestClassifier(5, random_state=0),
        GridSearchCV(make_pipeline(StandardScaler(), LogisticRegression()), {}, cv=2),
    ],
    ids=["in double", "forest in single", "votes in single", "search"],
)
def test_the_packaged_model_agrees_with_its_author(table: Table, author: Any) -> None:
    author.fit(*table)
    examples = table[0].head(50)
    packaged = package(author, examples)
    served = Predictor(packaged.files[MODEL], packaged.schema).predict(examples)
    assert served == pytest.approx(author.predict(examples), abs=1e-5)
    assert packaged.parity.largest_difference <= packaged.parity.tolerance == 1e-5


def test_several_targets_are_refused(table: Table, rows: pd.DataFrame) -> None:
    author = LinearRegression().fit(table[0], table[0].iloc[:, :2])
    with pytest.raises(Refused, match="only one answer a row"):
        package(author, rows)


def test_examples_are_kept_with_the_authors_answers(
    estimator: Pipeline, rows: pd.DataFrame
) -> None:
    kept = msgspec.json.decode(package(estimator, rows).files[EXAMPLES], type=Examples)
    assert kept.rows == rows.to_numpy().tolist()
    assert kept.answers.predictions == estimator.predict(rows).tolist()
    assert kept.answers.probabilities == estimator.predict_proba(rows).tolist()


def test_nameless_columns_are_numbered(table: Table, rows: pd.DataFrame) -> None:
    nameless = LogisticRegression(max_iter=5000).fit(table[0].to_numpy(), table[1])
    assert package(nameless, rows.to_numpy()).schema.columns == ("x0", "x1", "x2", "x3")
    assert package(nameless, rows).schema.columns == tuple(rows.columns)


def test_rows_in_any_container_make_the_same_bytes_every_time(
    estimator: Pipeline, rows: pd.DataFrame
) -> None:
    first = package(estimator, rows).files
    assert package(estimator, rows).files == first
    assert package(estimator, rows.to_numpy().tolist()).files == first
