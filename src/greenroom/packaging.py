"""A trained estimator and example rows → a bundle: converted to ONNX, with parity proven."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
import numpy as np

from greenroom.errors import Fault, InvalidInput, InvalidRows, Refused
from greenroom.examples import LIMIT, Answers, Comparison, Examples, compare
from greenroom.manifest import EXAMPLES, MODEL, Parity
from greenroom.predictor import INPUT, Predictor
from greenroom.schema import Field, Schema

if TYPE_CHECKING:
    from collections.abc import Sequence

# Estimators and tables come from libraries that this module must not import to recognise them.
Estimator: TypeAlias = Any
Table: TypeAlias = Any

TOLERANCE = 1e-5
_OPSETS = {"": 18, "ai.onnx.ml": 3}
_WAYS_OUT = (
    "Ways out: use scikit-learn's own transformers in place of that step, or do its work on the "
    "data before the model and push the rest"
)


@dataclass(frozen=True)
class Package:
    """What an estimator becomes: files as path → bytes, its schema, and how well both agree."""

    files: dict[str, bytes]
    schema: Schema
    parity: Parity


def package(estimator: Estimator, examples: Table, *, tolerance: float = TOLERANCE) -> Package:
    """Convert a fitted estimator, and prove on the examples that it answers as before.

    `examples` are 1 to 1,000 rows as the estimator takes them: a frame, an array, or lists, all
    numbers. Raises InvalidInput for what is no estimator or no examples, Refused when the
    estimator cannot be converted or its answers change by more than `tolerance`.
    """
    _check_estimator(estimator)
    matrix = _matrix(examples)
    columns = _columns(estimator, examples, matrix.shape[1])
    expected = _answers_of(estimator, examples)
    schema = _schema(estimator, columns, expected)
    model, comparison = _convert(estimator, schema, matrix, expected, tolerance)
    files = {
        MODEL: model,
        EXAMPLES: msgspec.json.encode(Examples(matrix.tolist(), expected)) + b"\n",
    }
    return Package(files, schema, Parity(len(matrix), tolerance, comparison.largest_difference))


def _check_estimator(estimator: Estimator) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    if not callable(getattr(estimator, "predict", None)):
        kind = type(estimator).__name__
        raise InvalidInput(f"a {kind} is no model: push a fitted estimator that has `predict`")
    try:
        check_is_fitted(estimator)
    except NotFittedError as error:
        raise InvalidInput("the estimator is not fitted: call `fit` before you push it") from error
    except TypeError as error:
        kind = f"{type(estimator).__module__}.{type(estimator).__name__}"
        raise InvalidInput(f"{kind} is not a scikit-learn estimator; push one") from error


def _matrix(examples: Table) -> np.ndarray:
    count = _count(examples)
    if count == 0:
        raise InvalidInput(
            "a model needs examples: give 1 to 1,000 rows that it can answer, "
            "as a frame, an array, or lists"
        )
    if count > LIMIT:
        raise InvalidInput(f"{count} examples are too many: give at most {LIMIT} rows")
    try:
        matrix = np.asarray(examples, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"examples must be rows of numbers, all as long: {error}") from error
    if matrix.ndim != 2:  # noqa: PLR2004  # rows and columns
        raise InvalidInput(f"examples must be rows × columns, not of the shape {matrix.shape}")
    names = list(getattr(examples, "columns", range(matrix.shape[1])))
    holes = np.argwhere(~np.isfinite(matrix))[:20].tolist()
    if holes:
        problem = "is not a finite number; give examples without gaps"
        raise InvalidRows([Fault(row, str(names[column]), problem) for row, column in holes])
    return matrix


def _count(examples: Table) -> int:
    try:
        return len(examples)
    except TypeError:  # what has no length, or will not tell it, has no rows to read
        return 0


def _columns(estimator: Estimator, examples: Table, width: int) -> list[str]:
    fitted = [str(name) for name in getattr(estimator, "feature_names_in_", [])]
    given = [str(name) for name in getattr(examples, "columns", [])]
    if fitted and given and fitted != given:
        raise InvalidInput(f"the examples' columns do not fit the model: {_told(fitted, given)}")
    expected = getattr(estimator, "n_features_in_", width)
    if width != expected:
        raise InvalidInput(f"the examples have {width} columns where the model takes {expected}")
    names = fitted or given or [f"x{number}" for number in range(width)]
    if len(set(names)) != width:
        raise InvalidInput("the examples have two columns of one name; name each differently")
    return names


def _told(fitted: Sequence[str], given: Sequence[str]) -> str:
    missing = [name for name in fitted if name not in given]
    extra = [name for name in given if name not in fitted]
    told = [f"missing {', '.join(missing)}"] if missing else []
    told += [f"unknown {', '.join(extra)}"] if extra else []
    return "; ".join(told) or f"order them {', '.join(fitted)}"


def _answers_of(estimator: Estimator, examples: Table) -> Answers:
    table = examples if hasattr(examples, "columns") else np.asarray(examples)
    try:
        predictions, probabilities = _ask(estimator, table)
    except Exception as error:  # an estimator raises what it likes
        reason = _first_line(error)
        raise InvalidInput(f"the estimator itself cannot answer the examples: {reason}") from error
    if predictions.shape != (len(table),):
        shapes = f"answers {len(table)} rows in the shape {predictions.shape}"
        raise Refused(f"the model {shapes}; only one answer a row can be served")
    return Answers(predictions.tolist(), None if probabilities is None else probabilities.tolist())


def _ask(estimator: Estimator, table: Table) -> tuple[np.ndarray, np.ndarray | None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as rows without the names that fit saw
        predictions = np.asarray(estimator.predict(table))
        if _has_probabilities(estimator):
            return predictions, np.asarray(estimator.predict_proba(table))
        return predictions, None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(".")


def _has_probabilities(estimator: Estimator) -> bool:
    return hasattr(estimator, "predict_proba") and hasattr(estimator, "classes_")


def _schema(estimator: Estimator, columns: Sequence[str], answers: Answers) -> Schema:
    inputs = tuple(Field(name, "float64") for name in columns)
    kinds = {bool: "bool", int: "int64", float: "float64"}
    outputs = [Field("predictions", kinds.get(type(answers.predictions[0]), "string"))]
    if answers.probabilities is not None:
        labels = tuple(np.asarray(estimator.classes_).tolist())
        outputs.append(Field("probabilities", "float64", shape=(len(labels),), labels=labels))
    return Schema(inputs, tuple(outputs))


def _convert(
    estimator: Estimator, schema: Schema, matrix: np.ndarray, expected: Answers, tolerance: float
) -> tuple[bytes, Comparison]:
    """Try double precision, then single; keep the first that agrees with the author's model."""
    tried: list[Comparison] = []
    failures: list[Exception] = []
    for convert in (_to_onnx_in_double, _to_onnx_in_single):
        try:
            model = convert(estimator, matrix.shape[1])
            comparison = compare(expected, Predictor(model, schema).answer(matrix))
        except Exception as error:  # noqa: BLE001  # converters raise every kind there is
            failures.append(error)
            continue
        if comparison.within(tolerance):
            return model, comparison
        tried.append(comparison)
    if tried:
        closest = min(tried, key=lambda comparison: comparison.largest_difference)
        raise _parity_refused(closest, matrix[closest.worst_row], tolerance)
    raise _conversion_refused(estimator, matrix.shape[1], failures[-1])


def _to_onnx_in_double(estimator: Estimator, width: int) -> bytes:
    from skl2onnx.common.data_types import DoubleTensorType

    return _to_onnx(estimator, DoubleTensorType([None, width]))


def _to_onnx_in_single(estimator: Estimator, width: int) -> bytes:
    from skl2onnx.common.data_types import FloatTensorType

    return _to_onnx(estimator, FloatTensorType([None, width]))


def _to_onnx(estimator: Estimator, rows: object) -> bytes:
    from skl2onnx import to_onnx

    options = {id(estimator): {"zipmap": False}} if _has_probabilities(estimator) else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the converter's deprecations are not the author's
        graph = to_onnx(
            estimator,
            initial_types=[(INPUT, rows)],
            options=options,
            target_opset=_OPSETS,
            name="model",
        )
    return bytes(graph.SerializeToString())


def _parity_refused(comparison: Comparison, row: np.ndarray, tolerance: float) -> Refused:
    largest = comparison.largest_difference
    size = "the labels differ" if math.isinf(largest) else f"by {largest:.2g}"
    way_out = (
        "Push another kind of estimator"
        if math.isinf(largest)
        else "Raise the tolerance if you can live with that"
    )
    return Refused(
        f"the converted model answers differently ({size}; {tolerance:.2g} is allowed): "
        f"{comparison.explanation}, of {row.tolist()}. {way_out}"
    )


def _conversion_refused(estimator: Estimator, width: int, failure: Exception) -> Refused:
    culprit = _failing_step(estimator, width)
    reason = _first_line(failure)
    return Refused(f"{culprit} cannot be converted to ONNX: {reason}. {_WAYS_OUT}")


def _failing_step(estimator: Estimator, width: int) -> str:
    steps = getattr(estimator, "steps", None)
    if not steps:
        return type(estimator).__name__
    for end in range(1, len(steps)):
        name, step = steps[end - 1]
        if not _converts(estimator[:end], width):
            return f"step {name!r} ({type(step).__name__})"
    name, step = steps[-1]
    return f"step {name!r} ({type(step).__name__})"


def _converts(estimator: Estimator, width: int) -> bool:
    try:
        _to_onnx_in_single(estimator, width)
    except Exception:  # noqa: BLE001  # converters raise every kind there is
        return False
    return True
