"""The rules of going live: who may be promoted, and what a rollback returns to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.errors import PromotionRefused
from greenroom.log import Kind, Log, Promotion
from greenroom.verdict import Verdict, passed_for

if TYPE_CHECKING:
    from greenroom.documents import Stamp, Stored
    from greenroom.manifest import Version


@dataclass(frozen=True)
class Candidate:
    """A version that asks to go live, with the verdicts recorded for it, oldest first."""

    version: Version
    verdicts: tuple[Stored[Verdict], ...]


def is_live(log: Log, version: Version) -> bool:
    """Tell whether this very version is what the environment serves now."""
    return log.live is not None and log.live.digest == version.digest


def decide(
    log: Log, candidate: Candidate, stamp: Stamp, *, reason: str | None = None, force: bool = False
) -> Promotion:
    """Return the entry that makes a candidate live, or raise PromotionRefused with every reason.

    `force` lets a candidate through without a passed verdict, as an entry of its own kind; it
    needs a reason.
    """
    reasons = _reasons_against_force(reason) if force else _reasons_against(candidate)
    if reasons:
        raise PromotionRefused(f"promotion of {candidate.version} to {log.environment}", reasons)
    kind: Kind = "force" if force else "promote"
    verdicts = tuple(stored.digest for stored in candidate.verdicts)
    version = candidate.version
    return _entry(log, stamp, kind, (version.number, version.digest, verdicts), reason)


def decide_rollback(
    log: Log, target: Promotion | None, stamp: Stamp, *, reason: str | None = None
) -> Promotion:
    """Return the entry that makes live again what an earlier one did, or raise PromotionRefused.

    `target` is that earlier entry, None when there is none.
    """
    if target is None:
        nothing = f"nothing was live in {log.environment} before"
        raise PromotionRefused(f"rollback of {log.model}@{log.environment}", [nothing])
    return _entry(log, stamp, "rollback", (target.version, target.digest, target.verdicts), reason)


def _reasons_against_force(reason: str | None) -> list[str]:
    return [] if reason and reason.strip() else ["a forced promotion needs a reason: add --reason"]


def _reasons_against(candidate: Candidate) -> list[str]:
    version = candidate.version
    verdicts = [stored.body for stored in candidate.verdicts]
    if passed_for(version.digest, verdicts):
        return []
    mend = f"run: greenroom test {version}"
    ours = [verdict for verdict in verdicts if verdict.digest == version.digest]
    if not ours:
        return [f"it has not been tested; {mend}"]
    return [f"its newest test run failed ({', '.join(ours[-1].reasons)}); mend it, then {mend}"]


def _entry(
    log: Log,
    stamp: Stamp,
    kind: Kind,
    target: tuple[int, str, tuple[str, ...]],
    reason: str | None,
) -> Promotion:
    version, digest, verdicts = target
    return Promotion(
        model=log.model,
        environment=log.environment,
        sequence=log.next_sequence,
        kind=kind,
        version=version,
        digest=digest,
        previous=log.head,
        verdicts=verdicts,
        by=stamp.by,
        at=stamp.at,
        reason=reason,
        operation=stamp.operation,
    )
