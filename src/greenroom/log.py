"""An environment's append-only log: its entries, their chain, and what they say is live."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from greenroom.errors import Corrupted
from greenroom.layout import FORMAT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from greenroom.documents import Stored

Kind: TypeAlias = Literal["promote", "rollback", "force"]


class Promotion(msgspec.Struct, frozen=True):
    """One entry: from here on, `version` with this digest is live in the environment.

    `previous` is the sha256 of the entry before, None for the first; `verdicts` are the sha256
    of those that allowed it. `at` informs people: the order never depends on a clock.
    """

    model: str
    environment: str
    sequence: int
    kind: Kind
    version: int
    digest: str
    previous: str | None
    verdicts: tuple[str, ...]
    by: str
    at: str
    reason: str | None
    operation: str
    format: int = FORMAT


@dataclass(frozen=True)
class Log:
    """The entries of one environment of one model, oldest first, checked to be whole.

    A tail has a `first` past 1: the entries before that are in the log and were not read.
    """

    model: str
    environment: str
    entries: tuple[Stored[Promotion], ...] = ()
    first: int = 1

    @property
    def live(self) -> Promotion | None:
        """The entry that says what is live now, or None before the first promotion."""
        return self.entries[-1].body if self.entries else None

    @property
    def next_sequence(self) -> int:
        """The number that the next entry has to claim."""
        return self.first + len(self.entries)

    @property
    def head(self) -> str | None:
        """The digest of the last entry, which the next one names as `previous`."""
        return self.entries[-1].digest if self.entries else None


def extend(log: Log, new: Sequence[Stored[Promotion]]) -> Log:
    """Return the log with newer entries, or raise Corrupted naming the first that does not fit."""
    known = list(log.entries)
    for entry in new:
        _check_place(log, entry, log.first + len(known))
        _check_link(log, known[-1] if known else None, entry)
        known.append(entry)
    return Log(log.model, log.environment, tuple(known), log.first)


def check_numbers(log: Log, numbers: Sequence[int]) -> None:
    """Raise Corrupted for a gap in the log's numbers, which ascend from its first."""
    for expected, number in enumerate(numbers, log.first):
        if number != expected:
            raise missing(log, expected)


def check_older(log: Log, newer: Stored[Promotion], older: Stored[Promotion]) -> None:
    """Raise Corrupted unless `older` is the entry just before `newer`."""
    _check_place(log, older, newer.number - 1)
    _check_link(log, older, newer)


def missing(log: Log, number: int) -> Corrupted:
    """Return the error that names an entry which is not there and must be."""
    return Corrupted(f"{_entry(log, number)} is missing from the log")


def _check_place(log: Log, entry: Stored[Promotion], number: int) -> None:
    body = entry.body
    if entry.number != number:
        raise missing(log, number)
    if (body.model, body.environment) != (log.model, log.environment):
        raise Corrupted(f"{_entry(log, number)} belongs to {body.model}@{body.environment}")
    if body.sequence != number:
        raise _altered(log, number)


def _check_link(log: Log, older: Stored[Promotion] | None, newer: Stored[Promotion]) -> None:
    previous = newer.body.previous
    if older is None and newer.number > 1:  # the first of a tail: what it follows was not read
        fits = previous is not None
    else:
        fits = previous == (older and older.digest)
    if not fits:
        raise _altered(log, newer.number)


def _altered(log: Log, number: int) -> Corrupted:
    fault = "does not follow the entry before it; the log was altered"
    return Corrupted(f"{_entry(log, number)} {fault}")


def _entry(log: Log, number: int) -> str:
    return f"{log.model}@{log.environment}: entry {number}"


def lived(newest_first: Iterable[Stored[Promotion]]) -> Iterator[Promotion]:
    """Give what is live, then what a rollback returns to, then the next one, and so on.

    Reads no further back than what is asked for. A rollback leaves what was live, and all
    before that until the version that it returned to.
    """
    returns: list[tuple[str, bool]] = []  # where each rollback went, and if it has left yet
    for entry in newest_first:
        body = entry.body
        if body.kind == "rollback":
            returns.append((body.digest, False))
            continue
        while returns:
            digest, has_left = returns.pop()
            if not has_left or body.digest != digest:
                returns.append((digest, True))
                break
        else:
            yield body


def before(newest_first: Iterable[Stored[Promotion]]) -> Promotion | None:
    """Return what a rollback makes live: what was live before, going further back each time."""
    return next(islice(lived(newest_first), 1, None), None)
