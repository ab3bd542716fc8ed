"""From a verified bundle to something with `predict`: the trust boundary.

Only ONNX is loaded, which is data: no pickle, no import named by a file. What comes in here has
been checked against the digest in the manifest.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

# Read when onnxruntime is imported; without it, it reports to its maker over the network.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

from greenroom.errors import Corrupted, Fault, InvalidRows, Refused
from greenroom.examples import Answers, compare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greenroom.bundle import VerifiedBundle
    from greenroom.schema import Row, Schema

INPUT = "rows"
_QUIET = 4
# Where tensors kept outside the model would be looked for: a place that can hold no file, so
# that a model is its verified bytes or nothing. By default it is the current directory.
_OUTSIDE = ("session.model_external_initializers_file_folder_path", os.devnull)
_ONLY_ONNX = ("session.load_model_format", "ONNX")


class Predictor:
    """A version ready to answer, alike in the server and in model tests."""

    def __init__(self, model: bytes, schema: Schema) -> None:
        """Load ONNX bytes; raises Corrupted when they are not a model of this schema."""
        self.schema = schema
        self._session = _open(model)
        self._input = _only_input(self._session, len(schema.inputs))
        self._outputs = [output.name for output in self._session.get_outputs()]
        if len(self._outputs) < len(schema.outputs):
            raise Corrupted("the model has fewer outputs than its schema")

    def predict(self, rows: Any) -> np.ndarray:  # whatever numpy or pandas holds
        """Return n predictions for n rows: a frame, an n × inputs array, or nested lists."""
        return np.asarray(self.answer(self._in_order(rows)).predictions)

    def predict_proba(self, rows: Any) -> np.ndarray:  # as predict
        """Return n × classes probabilities, classes in the order of `schema.labels`."""
        probabilities = self.answer(self._in_order(rows)).probabilities
        if probabilities is None:
            raise Refused("this model gives no probabilities")
        return np.asarray(probabilities)

    def answer(self, rows: Sequence[Row] | np.ndarray) -> Answers:
        """Answer an n × inputs matrix of numbers in the schema's order.

        Raises InvalidRows for a row whose answer is no finite number, Refused for a failure.
        """
        with np.errstate(over="ignore"):  # what is too large for single precision is infinite
            matrix = np.asarray(rows, dtype=self._input)
        try:
            results = self._session.run(self._outputs, {INPUT: matrix})
            predictions = results[0].reshape(len(matrix)).tolist()
            probabilities = results[1].tolist() if self.schema.labels else None
        except Exception as error:  # the runtime raises its own many kinds, and answers any shape
            raise Refused("the model could not answer these rows") from error
        for result in results:
            _check_finite(result)
        return Answers(predictions, probabilities)

    def _in_order(self, rows: Any) -> np.ndarray:  # as predict
        if hasattr(rows, "columns"):
            missing = [name for name in self.schema.columns if name not in rows.columns]
            if missing:
                raise InvalidRows([Fault(None, name, "is missing") for name in missing])
            rows = rows[list(self.schema.columns)]
        try:
            matrix = np.atleast_2d(np.asarray(rows, dtype=np.float64))
        except (TypeError, ValueError) as error:
            uneven = f"must be rows of numbers, all as long: {error}"
            raise InvalidRows([Fault(None, None, uneven)]) from error
        if matrix.ndim != 2 or matrix.shape[1] != len(self.schema.inputs):  # noqa: PLR2004  # rows and columns
            shape = f"has the shape {matrix.shape}, not rows × {len(self.schema.inputs)}"
            raise InvalidRows([Fault(None, None, shape)])
        return matrix


def _check_finite(result: np.ndarray) -> None:
    if result.dtype.kind == "f" and not np.isfinite(result).all():
        row = int(np.argwhere(~np.isfinite(result))[0][0])
        problem = "the model's answer is not a finite number; are the values too large?"
        raise InvalidRows([Fault(row, None, problem)])


def load(bundle: VerifiedBundle) -> Predictor:
    """Return a predictor that has given its author's own answers to every example.

    Raises Corrupted when the bytes are no model, Refused when an answer differs.
    """
    manifest = bundle.version.manifest
    predictor = Predictor(bundle.model, manifest.schema)
    replay = compare(bundle.examples.answers, predictor.answer(bundle.examples.rows))
    if not replay.within(manifest.parity.tolerance):
        raise Refused(f"{bundle.version} answers its examples wrongly: {replay.explanation}")
    return predictor


def _open(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    options.add_session_config_entry(*_OUTSIDE)
    options.add_session_config_entry(*_ONLY_ONNX)
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime raises its own many kinds
        raise Corrupted(f"these bytes are not a model: {str(error).splitlines()[0]}") from error


def _only_input(session: onnxruntime.InferenceSession, width: int) -> type[np.floating[Any]]:
    dtypes: dict[str, type[np.floating[Any]]] = {
        "tensor(double)": np.float64,
        "tensor(float)": np.float32,
    }
    inputs = [(found.name, found.type, found.shape[1:]) for found in session.get_inputs()]
    if len(inputs) == 1 and inputs[0][0] == INPUT and inputs[0][2] == [width]:
        dtype = dtypes.get(inputs[0][1])
        if dtype is not None:
            return dtype
    raise Corrupted("the model's inputs are not those of its schema")
