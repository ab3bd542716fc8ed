"""An environment's append-only log: its entries, their chain, and what they say is live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from greenroom.errors import Corrupted
from greenroom.layout import FORMAT

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """The entries of one environment of one model, oldest first, checked to be whole."""

    model: str
    environment: str
    entries: tuple[Stored[Promotion], ...] = ()

    @property
    def live(self) -> Promotion | None:
        """The entry that says what is live now, or None before the first promotion."""
        return self.entries[-1].body if self.entries else None

    @property
    def next_sequence(self) -> int:
        """The number that the next entry has to claim."""
        return len(self.entries) + 1

    @property
    def head(self) -> str | None:
        """The digest of the last entry, which the next one names as `previous`."""
        return self.entries[-1].digest if self.entries else None


def extend(log: Log, new: Sequence[Stored[Promotion]]) -> Log:
    """Return the log with newer entries, or raise Corrupted naming the first that does not fit."""
    for entry in new:
        _check_successor(log, entry)
        log = Log(log.model, log.environment, (*log.entries, entry))
    return log


def _check_successor(log: Log, entry: Stored[Promotion]) -> None:
    where = f"{log.model}@{log.environment}: entry {log.next_sequence}"
    body = entry.body
    if entry.number != log.next_sequence:
        raise Corrupted(f"{where} is missing from the log")
    if (body.model, body.environment) != (log.model, log.environment):
        raise Corrupted(f"{where} belongs to {body.model}@{body.environment}")
    if body.sequence != entry.number or body.previous != log.head:
        raise Corrupted(f"{where} does not follow the entry before it; the log was altered")


def before(log: Log) -> Promotion | None:
    """Return what a rollback makes live: what was live before, going further back each time."""
    lived: list[Promotion] = []
    for entry in log.entries:
        if entry.body.kind == "rollback":
            del lived[-1:]
        else:
            lived.append(entry.body)
    return lived[-2] if len(lived) > 1 else None
