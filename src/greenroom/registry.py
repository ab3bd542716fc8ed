"""The registry: a catalog that can be written to by push, test, promote and rollback."""

from __future__ import annotations

import getpass
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greenroom import bundle, layout, ledger, lineage, marker
from greenroom.catalog import Catalog, as_version
from greenroom.documents import Stamp
from greenroom.errors import InvalidInput, PromotionRefused
from greenroom.log import before
from greenroom.manifest import (
    Lineage,
    Manifest,
    Parameter,
    Version,
    attachment_path,
    says_the_same,
)
from greenroom.names import check_name
from greenroom.promotion import Candidate, decide, decide_rollback, is_live
from greenroom.verdict import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from greenroom.log import Promotion
    from greenroom.packaging import Package
    from greenroom.store import Store


@dataclass(frozen=True)
class Training:
    """What an author says of how a version came to be.

    `attachments` are files to keep beside it, such as plots; `data` is the file it was trained
    on, of which only the sha256 is kept.
    """

    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    attachments: Sequence[Path | str] = ()
    data: Path | str | None = None


@dataclass(frozen=True)
class Pushed:
    """The outcome of a push: the version, and whether it is new or was there unchanged."""

    version: Version
    is_new: bool


@dataclass(frozen=True)
class Promoted:
    """The outcome of a promotion: what is live, and whether it became so only now."""

    promotion: Promotion
    is_new: bool


def _now() -> datetime:
    return datetime.now(UTC)


class Registry(Catalog):
    """Models, versions, verdicts and environments, and the four ways to add to them."""

    def __init__(
        self,
        store: Store,
        *,
        author: str | None = None,
        clock: Callable[[], datetime] = _now,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Work on `store`, writing as `author` (default: the system's user).

        `progress` is told how many bytes a push has stored, and of how many.
        """
        super().__init__(store)
        self._author = author or getpass.getuser()
        self._clock = clock
        self._progress = progress

    def push(
        self,
        model: str,
        estimator: Any,  # of whatever library trained it
        examples: Any,  # as packaging.package takes them
        *,
        training: Training | None = None,
        tolerance: float = 1e-5,
    ) -> Pushed:
        """Store a fitted estimator as the model's next version, unless nothing changed.

        `examples` are 1 to 1,000 rows as the estimator takes them; see packaging.package for
        what is raised. Where the registry's place is empty, the registry is begun.
        """
        from greenroom import packaging  # what converts is not needed to serve

        check_name(model, "a model")
        training = training or Training()
        attached = _read_attachments(training.attachments)
        package = packaging.package(estimator, examples, tolerance=tolerance)
        contents = package.files | attached
        data = Path(training.data) if training.data else None
        made_of = lineage.observe(Path.cwd(), estimator, data)
        manifest = self._manifest(model, package, contents, training, made_of)
        return self._publish(manifest, contents)

    def test(self, reference: str, tests: Sequence[Path], environment: str) -> Verdict:
        """Run pytest on a version and record the verdict, which is returned.

        `environment` is whose live version the tests get as their champion. Raises NotFound for
        no such version or test file.
        """
        from greenroom.testing import runner  # what runs tests is not needed to serve

        version = self.show(reference)
        run = runner.run(version, tests, environment, self.location)
        verdict = judge(run, version, self._stamp())
        folder = layout.verdicts(verdict.model, verdict.version)
        return ledger.append(self._store, folder, verdict).body

    def promote(
        self, reference: str, environment: str, *, reason: str | None = None, force: bool = False
    ) -> Promoted:
        """Make a version live in an environment, or raise PromotionRefused with every reason."""
        version = self.show(reference)
        log = self.tail(version.manifest.model, environment)
        if log.live and is_live(log, version):
            return Promoted(log.live, is_new=False)
        candidate = Candidate(version, tuple(self.verdicts(version)))
        promotion = decide(log, candidate, self._stamp(), reason=reason, force=force)
        return Promoted(self._append(promotion), is_new=True)

    def rollback(self, model: str, environment: str, *, reason: str | None = None) -> Promotion:
        """Make live again what was live before, or raise PromotionRefused; verifies it first."""
        marker.check(self._store)
        log = self.live_log(model, environment)
        target = before(self.backwards(log))
        promotion = decide_rollback(log, target, self._stamp(), reason=reason)
        self.fetch(self.promoted(promotion))
        return self._append(promotion)

    def _publish(self, manifest: Manifest, contents: Mapping[str, bytes]) -> Pushed:
        marker.ensure(self._store)
        newest = self._numbered(manifest.model, self._newest_number(manifest.model))
        if newest and says_the_same(newest.manifest, manifest):
            return Pushed(newest, is_new=False)
        bundle.upload(self._store, contents, self._progress)
        stored = ledger.append(self._store, layout.versions(manifest.model), manifest)
        return Pushed(as_version(stored), is_new=True)

    def _append(self, promotion: Promotion) -> Promotion:
        folder = layout.environment(promotion.model, promotion.environment)
        stored = ledger.claim(self._store, folder, promotion.sequence, promotion)
        if stored is None:
            what = f"{promotion.kind} of {promotion.model}@{promotion.version}"
            moved = f"{promotion.environment} moved meanwhile; see its history and run this again"
            raise PromotionRefused(what, [moved])
        return stored.body

    def _manifest(
        self,
        model: str,
        package: Package,
        contents: Mapping[str, bytes],
        training: Training,
        made_of: Lineage,
    ) -> Manifest:
        stamp = self._stamp()
        return Manifest(
            model=model,
            files=bundle.describe(contents),
            schema=package.schema,
            parity=package.parity,
            lineage=made_of,
            parameters={name: _plain(value) for name, value in training.parameters.items()},
            metrics={name: _plain(value) for name, value in training.metrics.items()},
            by=stamp.by,
            at=stamp.at,
            operation=stamp.operation,
        )

    def _stamp(self) -> Stamp:
        at = self._clock().astimezone(UTC).isoformat(timespec="seconds")
        return Stamp(by=self._author, at=at, operation=secrets.token_hex(16))


def _plain(value: Any) -> Any:  # what numpy counts with, as Python's own number
    return value.item() if hasattr(value, "item") else value


def _read_attachments(paths: Sequence[Path | str]) -> dict[str, bytes]:
    names = [Path(path).name for path in paths]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(f"two attachments are named {twice}; rename one")
    try:
        return {attachment_path(Path(path).name): Path(path).read_bytes() for path in paths}
    except OSError as error:
        why = f"{error.filename} cannot be read: {error.strerror}"
        raise InvalidInput(f"the attachment {why}") from error
