"""Everything that can go wrong, as one tree.

GreenroomError
├── InvalidInput         what was given is malformed                        exit 2
│   └── InvalidRows      rows that the schema refuses, each fault named
├── Refused              well-formed, but a rule says no                    exit 1
│   └── PromotionRefused every reason at once
├── NotFound             no such model, version, environment or file        exit 3
├── Corrupted            stored bytes are not what they must be             exit 1
├── StoreRefused         the store said no: rights, a full disk              exit 1
├── StoreUnreachable     the store gave no answer                           exit 1
└── OutcomeUnknown       a write may or may not have happened               exit 4
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class GreenroomError(Exception):
    """Any error that Greenroom raises on purpose; its text is fit for a person."""

    exit_code = 1


class InvalidInput(GreenroomError):
    """What was given is malformed: a name, a setting, a file, rows."""

    exit_code = 2


@dataclass(frozen=True)
class Fault:
    """One thing wrong with one value; `row` counts from 0, as the client sent them."""

    row: int | None
    field: str | None
    problem: str

    def __str__(self) -> str:
        place = [f"row {self.row}"] if self.row is not None else []
        place += [f"field {self.field}"] if self.field is not None else []
        return f"{', '.join(place)}: {self.problem}" if place else self.problem


class InvalidRows(InvalidInput):
    """Rows do not fit the schema; `faults` names each row and field."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, self.faults)))


class Refused(GreenroomError):
    """The request was understood and a rule says no; nothing was changed."""


class PromotionRefused(Refused):
    """A promotion was refused; `reasons` holds every reason."""

    def __init__(self, what: str, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(f"{what} refused: {'; '.join(self.reasons)}")


class NotFound(GreenroomError):
    """There is no such model, version, environment or file."""

    exit_code = 3


class Corrupted(GreenroomError):
    """Bytes in the registry do not decode, or do not have the digest that they must have."""


class StoreRefused(GreenroomError):
    """The store said no, for want of rights, space or sense; nothing was changed."""


class StoreUnreachable(GreenroomError):
    """The store gave no answer; a read changed nothing, a write may have happened."""


class OutcomeUnknown(GreenroomError):
    """A write was sent and its outcome could not be learned; running the command again is safe."""

    exit_code = 4


def nearest(wanted: str, existing: Iterable[str]) -> str:
    """Return the second half of a "not found" message: the nearest name, or those there are."""
    names = sorted(existing)
    close = get_close_matches(wanted, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]}?"
    return f"there are: {', '.join(names[:10])}" if names else "there are none yet"
