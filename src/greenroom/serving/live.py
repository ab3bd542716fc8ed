"""What is live: follow the log, load, replay the examples, swap; a failure keeps the old."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from greenroom.errors import GreenroomError
from greenroom.predictor import Predictor, load

if TYPE_CHECKING:
    from greenroom.catalog import Catalog
    from greenroom.log import Log, Promotion
    from greenroom.manifest import Version
    from greenroom.schema import Row

_LOGGER = logging.getLogger("greenroom")


@dataclass(frozen=True)
class Served:
    """A version that answers, the promotion that made it live, and a row that it can answer."""

    version: Version
    predictor: Predictor
    promotion: Promotion
    example: Row


class Live:
    """The version that answers now; `poll` brings it up to date with its environment."""

    def __init__(self, catalog: Catalog, model: str, environment: str) -> None:
        self.model = model
        self.environment = environment
        self.served: Served | None = None
        self.failure: str | None = "nothing was loaded yet"
        self._catalog = catalog
        self._log: Log | None = None

    def poll(self) -> None:
        """Read what is new in the log and swap to it; a failure is kept in `failure` and logged.

        The swap is one assignment: a request holds on to what it began with.
        """
        try:
            self._catch_up()
        except GreenroomError as error:
            self._fail(str(error))
        except Exception:  # whatever a model's loading throws must not end the server
            _LOGGER.exception("%s@%s: unexpected failure", self.model, self.environment)
            self._fail("unexpected failure; see the server's log")

    def _catch_up(self) -> None:
        self._log = self._read_on()
        promotion = self._log.entries[-1].body
        if self.served is None or self.served.promotion.digest != promotion.digest:
            self._swap(promotion)
        else:
            self.served = replace(self.served, promotion=promotion)
            self.failure = None

    def _read_on(self) -> Log:
        if self._log is None:
            return self._catalog.live_log(self.model, self.environment)
        return self._catalog.read_on(self._log)

    def _swap(self, promotion: Promotion) -> None:
        version = self._catalog.promoted(promotion)
        bundle = self._catalog.fetch(version)
        self.served = Served(version, load(bundle), promotion, bundle.examples.rows[0])
        self.failure = None
        _LOGGER.info("%s is live in %s", version, self.environment)

    def _fail(self, failure: str) -> None:
        if failure != self.failure:
            _LOGGER.warning("%s", failure)
        self.failure = failure
