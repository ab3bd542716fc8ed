"""Request bodies → rows, and answers → response bodies: Greenroom's own shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from greenroom.errors import Fault, InvalidRows
from greenroom.schema import Row, Schema, rows_from_json
from greenroom.serving.limits import MOST_ROWS, RequestRefused

if TYPE_CHECKING:
    from greenroom.examples import Answers
    from greenroom.schema import Label
    from greenroom.serving.live import Served


class _Answer(msgspec.Struct, kw_only=True, omit_defaults=True):
    predictions: list[Label]
    probabilities: list[dict[str, float]] | None = None
    model: str
    version: int


class _Refusal(msgspec.Struct):
    error: str
    details: tuple[Fault, ...] = ()


def read_rows(body: bytes, schema: Schema) -> list[Row]:
    """Return the rows in a JSON body: a row, a record, or a list of either.

    Raises InvalidRows naming row and field, RequestRefused for more rows than one request may.
    """
    try:
        decoded = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise InvalidRows([Fault(None, None, f"the body is not JSON: {error}")]) from error
    except UnicodeDecodeError as error:
        raise InvalidRows([Fault(None, None, "the body is not UTF-8")]) from error
    except RecursionError as error:
        raise InvalidRows([Fault(None, None, "the body is nested too deeply")]) from error
    if isinstance(decoded, list) and len(decoded) > MOST_ROWS:
        raise RequestRefused(413, f"{len(decoded)} rows are too many; send at most {MOST_ROWS}")
    return rows_from_json(schema, decoded)


def write_answers(answers: Answers, served: Served) -> bytes:
    """Return the JSON answer: predictions, probabilities by label, the model and its version."""
    answer = _Answer(
        predictions=answers.predictions,
        probabilities=_by_label(served.predictor.schema, answers.probabilities),
        model=served.version.manifest.model,
        version=served.version.number,
    )
    return msgspec.json.encode(answer)


def _by_label(
    schema: Schema, probabilities: list[list[float]] | None
) -> list[dict[str, float]] | None:
    if probabilities is None:
        return None
    labels = [str(label) for label in schema.labels or ()]
    return [dict(zip(labels, row, strict=True)) for row in probabilities]


def write_refusal(reason: str, faults: tuple[Fault, ...] = ()) -> bytes:
    """Return the JSON that says why a request was refused, each fault with its row and field."""
    return msgspec.json.encode(_Refusal(reason, faults))
