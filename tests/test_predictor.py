from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from sklearn.linear_model import Ridge

from greenroom.bundle import VerifiedBundle
from greenroom.errors import Corrupted, InvalidRows, Refused
from greenroom.examples import Answers, Examples
from greenroom.manifest import MODEL
from greenroom.packaging import Package, package
from greenroom.predictor import INPUT, Predictor, load
from greenroom.schema import Field, Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from sklearn.pipeline import Pipeline

    from greenroom.registry import Registry

WIDTH = 64
SCHEMA = Schema(
    tuple(Field(f"x{number}", "float64") for number in range(WIDTH)),
    (Field("predictions", "float64"),),
)


@pytest.fixture(scope="module")
def packaged(estimator: Pipeline, rows: pd.DataFrame) -> Package:
    return package(estimator, rows)


@pytest.fixture(scope="module")
def predictor(packaged: Package) -> Predictor:
    return Predictor(packaged.files[MODEL], packaged.schema)


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.marker,)


def external(location: str) -> TensorProto:
    """Return weights that lie in another file."""
    tensor = TensorProto(name="w", data_type=TensorProto.DOUBLE, dims=[WIDTH, 1])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, "offset": "0", "length": str(WIDTH * 8)}.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def model(
    nodes: Sequence[Any] = (),
    weights: Sequence[TensorProto] = (),
    *,
    given: Sequence[tuple[str, int, Sequence[int | None]]] = ((INPUT, 11, (None, WIDTH)),),
) -> bytes:
    """Return a model of these nodes, which answers y; by default it answers its input."""
    graph = helper.make_graph(
        nodes or [helper.make_node("Identity", [given[0][0]], ["y"])],
        "crafted",
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in given],
        [helper.make_tensor_value_info("y", given[0][1], None)],
        initializer=weights,
    )
    domains = {node.domain for node in graph.node} | {""}
    opsets = [helper.make_opsetid(domain, 1 if domain else 18) for domain in sorted(domains)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    return bytes(made.SerializeToString())


PRODUCT = helper.make_node("MatMul", [INPUT, "w"], ["y"])


@pytest.mark.parametrize(
    "given",
    [
        lambda rows: rows,
        lambda rows: rows[rows.columns[::-1]],
        lambda rows: rows.assign(unrelated="text"),
        lambda rows: rows.to_numpy(),
        lambda rows: rows.to_numpy().tolist(),
    ],
    ids=["frame", "reversed columns", "more columns", "array", "lists"],
)
def test_answers_are_the_authors_for_rows_in_any_container(
    predictor: Predictor,
    estimator: Pipeline,
    table: tuple[pd.DataFrame, pd.Series],
    given: Callable[[pd.DataFrame], Any],
) -> None:
    rows = table[0].iloc[100:130]
    assert predictor.predict(given(rows)).tolist() == estimator.predict(rows).tolist()
    expected = estimator.predict_proba(rows)
    assert predictor.predict_proba(given(rows)) == pytest.approx(expected, abs=1e-9)


def test_a_single_row_is_answered(predictor: Predictor, rows: pd.DataFrame) -> None:
    assert predictor.predict(rows.to_numpy()[0]).shape == (1,)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (lambda rows: rows.drop(columns=["mean area"]), "field mean area: is missing"),
        (lambda rows: rows.to_numpy()[:, :3], r"has the shape \(5, 3\), not rows × 4"),
        (lambda rows: [rows.to_numpy()], r"has the shape \(1, 5, 4\)"),
        (lambda _rows: [], r"has the shape \(1, 0\)"),
        (lambda _rows: [["wide"] * 4], "must be rows of numbers"),
        (lambda _rows: [[1.0], [1.0, 2.0]], "must be rows of numbers, all as long"),
    ],
)
def test_rows_that_do_not_fit_are_refused(
    predictor: Predictor, rows: pd.DataFrame, given: Callable[[pd.DataFrame], Any], told: str
) -> None:
    with pytest.raises(InvalidRows, match=told):
        predictor.predict(given(rows))


def test_a_model_without_probabilities_says_so(rows: pd.DataFrame) -> None:
    author = Ridge().fit(rows, range(len(rows)))
    made = package(author, rows)
    with pytest.raises(Refused, match="gives no probabilities"):
        Predictor(made.files[MODEL], made.schema).predict_proba(rows)


@pytest.mark.parametrize("cut", [0, 1, 200, -1])
def test_bytes_that_are_cut_short_are_corrupted(packaged: Package, cut: int) -> None:
    with pytest.raises(Corrupted):
        Predictor(packaged.files[MODEL][:cut], packaged.schema)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_corrupted_and_never_run(
    packaged: Package, tmp_path: Path, protocol: int
) -> None:
    marker = tmp_path / "ran"
    bomb = pickle.dumps(Bomb(marker), protocol)
    with pytest.raises(Corrupted, match="these bytes are not a model"):
        Predictor(bomb, packaged.schema)
    assert not marker.exists()
    pickle.loads(bomb)  # noqa: S301  # the oracle: the bomb does go off
    assert marker.exists()


@pytest.mark.parametrize(
    "given",
    [
        [("other", TensorProto.DOUBLE, (None, WIDTH))],
        [(INPUT, TensorProto.DOUBLE, (None, WIDTH - 1))],
        [(INPUT, TensorProto.DOUBLE, (None, None))],
        [(INPUT, TensorProto.DOUBLE, (WIDTH,))],
        [(INPUT, TensorProto.INT64, (None, WIDTH))],
        [(INPUT, TensorProto.DOUBLE, (None, WIDTH)), ("more", TensorProto.DOUBLE, (1,))],
    ],
)
def test_a_model_with_other_inputs_than_its_schema_is_corrupted(given: list[Any]) -> None:
    with pytest.raises(Corrupted, match="inputs are not those of its schema"):
        Predictor(model(given=given), SCHEMA)


def test_a_model_with_fewer_outputs_than_its_schema_is_corrupted() -> None:
    probabilities = Field("probabilities", "float64", (2,), (0, 1))
    with pytest.raises(Corrupted, match="fewer outputs"):
        Predictor(model(), Schema(SCHEMA.inputs, (*SCHEMA.outputs, probabilities)))


def test_a_model_with_an_operator_of_its_own_is_corrupted() -> None:
    own = helper.make_node("Own", [INPUT], ["y"], domain="com.example")
    with pytest.raises(Corrupted, match="not a model"):
        Predictor(model([own]), SCHEMA)


def test_answers_of_another_shape_are_refused() -> None:
    with pytest.raises(Refused, match="could not answer these rows"):
        Predictor(model(), SCHEMA).predict(np.ones((2, WIDTH)))


def test_weights_inside_the_model_are_used() -> None:
    weights = helper.make_tensor("w", TensorProto.DOUBLE, [WIDTH, 1], [1.0] * WIDTH)
    inside = Predictor(model([PRODUCT], [weights]), SCHEMA)
    assert inside.predict(np.ones((2, WIDTH))).tolist() == [WIDTH, WIDTH]


@pytest.mark.parametrize("location", ["weights", "./weights", "../weights", "{absolute}"])
@pytest.mark.parametrize("is_constant", [False, True])
def test_weights_outside_the_model_are_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str, *, is_constant: bool
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    for path in (tmp_path / "weights", here / "weights"):
        path.write_bytes(np.ones(WIDTH).tobytes())
    monkeypatch.chdir(here)
    weights = external(location.format(absolute=here / "weights"))
    crafted = (
        model([helper.make_node("Constant", [], ["w"], value=weights), PRODUCT])
        if is_constant
        else model([PRODUCT], [weights])
    )
    with pytest.raises(Corrupted, match="not a model"):
        Predictor(crafted, SCHEMA)


def test_a_version_that_gives_other_answers_than_its_author_is_not_loaded(
    registry: Registry, estimator: Pipeline, rows: pd.DataFrame
) -> None:
    version = registry.push("tumours", estimator, rows).version
    bundle = registry.fetch(version)
    answers = bundle.examples.answers
    assert load(bundle).predict(rows).tolist() == answers.predictions
    other = Answers([1, *answers.predictions[1:]], answers.probabilities)
    altered = VerifiedBundle(version, bundle.model, Examples(bundle.examples.rows, other))
    with pytest.raises(Refused, match="tumours@1 answers its examples wrongly: row 0: 1 "):
        load(altered)


def test_the_runtime_is_loaded_without_its_telemetry(tmp_path: Path) -> None:
    # Where it is on, it begins with an identifier in the home directory; CI's variables hide it.
    environment = {"HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    load = "import greenroom.predictor"
    subprocess.run([sys.executable, "-c", load], env=environment, check=True)
    assert not list(tmp_path.iterdir())
