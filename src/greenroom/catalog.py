"""What a registry holds, read only: models, versions, verdicts, environments.

Servers and model tests work with this half alone, so read access is all that they need.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from greenroom import bundle, layout, ledger, marker
from greenroom.errors import NotFound, Refused, nearest
from greenroom.log import Log, Promotion, check_numbers, check_older, extend, missing
from greenroom.manifest import Manifest, Version
from greenroom.names import Reference, check_name, parse_reference
from greenroom.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from greenroom.documents import Stored
    from greenroom.store import Store


class Catalog:
    """The models, versions, verdicts and environments in one bucket or directory."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def location(self) -> str:
        """The URL or absolute directory of the registry."""
        return self._store.location

    def models(self) -> Sequence[str]:
        """Return the names of all models."""
        marker.check(self._store)
        return self._folders(layout.MODELS)

    def list(self, model: str) -> Sequence[Version]:
        """Return a model's versions, oldest first; raises NotFound for no such model."""
        marker.check(self._store)
        folder = layout.versions(check_name(model, "a model"))
        stored = ledger.read_all(self._store, folder, Manifest)
        if not stored:
            raise self._no_version(Reference(model))
        return [as_version(found) for found in stored]

    def show(self, reference: str) -> Version:
        """Return the version that `diabetes@7`, `diabetes@production` or `diabetes` names.

        A bare model is its newest version. Raises NotFound, offering the nearest name.
        """
        marker.check(self._store)
        wanted = parse_reference(reference)
        if wanted.environment:
            return self._live(wanted.model, wanted.environment)
        version = self._numbered(wanted.model, wanted.version or self._newest_number(wanted.model))
        if version is None:
            raise self._no_version(wanted)
        return version

    def environments(self, model: str) -> Sequence[str]:
        """Return the names of the environments that a version of this model was promoted to."""
        return self._folders(layout.environments(check_name(model, "a model")))

    def live(self, model: str) -> dict[str, int]:
        """Return the version's number that is live in each of a model's environments."""
        logs = [self.tail(model, name) for name in self.environments(model)]
        return {log.environment: log.live.version for log in logs if log.live}

    def verdicts(self, version: Version) -> Sequence[Stored[Verdict]]:
        """Return the verdicts recorded for a version, oldest first."""
        folder = layout.verdicts(version.manifest.model, version.number)
        return ledger.read_all(self._store, folder, Verdict)

    def history(self, model: str, environment: str) -> Log:
        """Return an environment's log; raises NotFound before its first promotion."""
        marker.check(self._store)
        log = self.read_on(_empty(model, environment))
        if log.live is None:
            raise self._nothing_live(model, environment)
        return log

    def tail(self, model: str, environment: str) -> Log:
        """Return an environment's log with its last entry only, or with none before the first.

        That is one listing and one read for up to 1,000 entries; the end of a longer log is
        searched for. Raises Corrupted for a gap that was seen on the way.
        """
        log = _empty(model, environment)
        folder = layout.environment(model, environment)
        found, are_all = ledger.first_numbers(self._store, folder)
        check_numbers(log, found)
        if are_all:
            return self._at(log, found[-1]) if found else log
        end = ledger.search(self._store, folder, found[-1] if found else 0)
        return self.read_on(self._at(log, end))  # a gap would have ended the search too early

    def live_log(self, model: str, environment: str) -> Log:
        """Return the tail of a log that has one; raises NotFound before the first promotion."""
        log = self.tail(model, environment)
        if not log.entries:
            raise self._nothing_live(model, environment)
        return log

    def backwards(self, log: Log) -> Iterator[Stored[Promotion]]:
        """Give a log's entries newest first, reading those before it one by one as asked for."""
        yield from reversed(log.entries)
        newer = log.entries[0]
        while newer.number > 1:
            older = self._entry(log, newer.number - 1)
            check_older(log, newer, older)
            yield older
            newer = older

    def read_on(self, log: Log) -> Log:
        """Return a log with what was appended since it was read, which may be nothing.

        Raises Corrupted, naming the first entry that is missing or does not fit.
        """
        folder = layout.environment(log.model, log.environment)
        newer = ledger.read_all(self._store, folder, Promotion, after=log.next_sequence - 1)
        return extend(log, newer)

    def promoted(self, promotion: Promotion) -> Version:
        """Return the version that a promotion made live; raises Refused for an altered one."""
        version = self._numbered(promotion.model, promotion.version)
        if version is None or version.digest != promotion.digest:
            which = f"{promotion.model}@{promotion.version}"
            raise Refused(f"{which} is not what was promoted: its manifest is gone or was altered")
        return version

    def fetch(self, version: Version) -> bundle.VerifiedBundle:
        """Return what serving a version needs, every byte verified; raises Corrupted."""
        return bundle.fetch(self._store, version)

    def pull(self, reference: str, directory: Path | str) -> Version:
        """Write a version's files into a new directory, every byte verified."""
        version = self.show(reference)
        bundle.download(self._store, version.manifest, Path(directory))
        return version

    def _at(self, log: Log, number: int) -> Log:
        start = Log(log.model, log.environment, first=number)
        return extend(start, [self._entry(log, number)])

    def _entry(self, log: Log, number: int) -> Stored[Promotion]:
        folder = layout.environment(log.model, log.environment)
        try:
            return ledger.read(self._store, folder, number, Promotion)
        except NotFound as error:
            raise missing(log, number) from error

    def _folders(self, folder: str) -> Sequence[str]:
        keys = self._store.keys(folder)
        return sorted({key.removeprefix(folder).partition("/")[0] for key in keys})

    def _live(self, model: str, environment: str) -> Version:
        return self.promoted(self.live_log(model, environment).entries[-1].body)

    def _numbered(self, model: str, number: int | None) -> Version | None:
        if number is None:
            return None
        try:
            return as_version(ledger.read(self._store, layout.versions(model), number, Manifest))
        except NotFound:
            return None

    def _newest_number(self, model: str) -> int | None:
        return ledger.last(self._store, layout.versions(model)) or None

    def _no_version(self, reference: Reference) -> NotFound:
        newest = self._newest_number(reference.model)
        if newest is None:
            near = nearest(reference.model, self.models())
            return NotFound(f"there is no model {reference.model}; {near}")
        return NotFound(f"there is no {reference}; the newest is {reference.model}@{newest}")

    def _nothing_live(self, model: str, environment: str) -> NotFound:
        if self._newest_number(model) is None:
            return self._no_version(Reference(model))
        near = nearest(environment, self.environments(model))
        return NotFound(f"nothing of {model} is live in {environment}; {near}")


def _empty(model: str, environment: str) -> Log:
    return Log(check_name(model, "a model"), check_name(environment, "an environment"))


def as_version(stored: Stored[Manifest]) -> Version:
    """Return a stored manifest as the version that it describes."""
    return Version(stored.number, stored.digest, stored.body)
