"""Names, types and shapes of what a model takes and gives, and the check of rows against them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from greenroom.errors import Fault, InvalidRows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Label: TypeAlias = int | float | str | bool
Row: TypeAlias = list[float]

_MOST_FAULTS = 20


class Field(msgspec.Struct, frozen=True, omit_defaults=True):
    """One input column or one output: its name, type and the shape of its value in one row.

    `labels` are the classes, in the order of the last axis of the shape.
    """

    name: str
    type: str
    shape: tuple[int, ...] = ()
    labels: tuple[Label, ...] | None = None


class Schema(msgspec.Struct, frozen=True):
    """What a version takes and gives."""

    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the inputs, in the model's order."""
        return tuple(field.name for field in self.inputs)

    @property
    def labels(self) -> tuple[Label, ...] | None:
        """The classes that probabilities are given for, or None for a model without them."""
        return next((field.labels for field in self.outputs if field.labels is not None), None)


def rows_from_json(schema: Schema, body: object) -> list[Row]:
    """Return the rows in a decoded JSON body: one row or record, or a list of either.

    Every row that comes back has one finite float for each of the schema's inputs, in their
    order. Raises InvalidRows naming the row and field of every fault (the first 20).
    """
    rows = _many(body)
    faults: list[Fault] = []
    checked = [_check_row(schema, number, row, faults) for number, row in enumerate(rows)]
    if faults:
        raise InvalidRows(faults[:_MOST_FAULTS])
    return checked


def _many(body: object) -> list[object]:
    if isinstance(body, dict):
        return [body]
    if not isinstance(body, list):
        raise InvalidRows([Fault(None, None, "send a row, a record, or a list of them")])
    if not body:
        raise InvalidRows([Fault(None, None, "there are no rows")])
    return body if isinstance(body[0], list | dict) else [body]


def _check_row(schema: Schema, number: int, row: object, faults: list[Fault]) -> Row:
    found = len(faults)
    values = _values(schema, number, row, faults)
    if len(faults) == found:
        _check_values(schema, number, values, faults)
    return [float(value) for value in values] if len(faults) == found else []  # type: ignore[arg-type]


def _values(schema: Schema, number: int, row: object, faults: list[Fault]) -> Sequence[object]:
    if isinstance(row, dict):
        return _values_of_record(schema, number, row, faults)
    if not isinstance(row, list):
        faults.append(Fault(number, None, "must be a row or a record, like the first"))
        return ()
    if len(row) != len(schema.inputs):
        wanted = f"has {len(row)} values where {len(schema.inputs)} are expected"
        faults.append(Fault(number, None, f"{wanted}: {', '.join(schema.columns)}"))
    return row


def _values_of_record(
    schema: Schema, number: int, record: Mapping[str, object], faults: list[Fault]
) -> Sequence[object]:
    known = frozenset(schema.columns)
    faults += [Fault(number, name, "is missing") for name in schema.columns if name not in record]
    unknown = [name for name in record if name not in known]
    faults += [Fault(number, name[:80], "is not an input of this model") for name in unknown]
    return [record.get(name) for name in schema.columns]


def _check_values(
    schema: Schema, number: int, values: Sequence[object], faults: list[Fault]
) -> None:
    for field, value in zip(schema.inputs, values, strict=True):
        problem = _problem_with_number(value)
        if problem:
            faults.append(Fault(number, field.name, problem))


def _problem_with_number(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"must be a number, not {_json_type(value)}"
    try:
        return None if math.isfinite(value) else "must be a finite number"
    except OverflowError:
        return "is too large"


def _json_type(value: object) -> str:
    names = {type(None): "null", bool: "a boolean", str: "a string", list: "a list"}
    return names.get(type(value), "an object")
