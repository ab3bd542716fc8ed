"""A program that does one thing to a registry, again and again, killed at every store call.

`killed_writer.py SEED PLACE VERB` copies the registry in SEED (if there is one) to PLACE/1-before,
and kills itself there just before its first call to the store; the next copy lives until that
call is half done, the next until just before the second call, which is just after the first,
and so on, until one outlives all of its calls.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from greenroom.author import read_estimator
from greenroom.packaging import package
from greenroom.registry import Registry
from greenroom.store import LocalStore

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = [[0.0], [1.0]]
MOMENTS = ("before", "during")
OUTLIVED = 3


def die(*_: object) -> NoReturn:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


class DyingStore(LocalStore):
    """A directory whose user is killed at one of its calls."""

    def __init__(self, root: Path, fatal: int, moment: str) -> None:
        super().__init__(root)
        self.calls = 0
        self._fatal = fatal
        self._moment = moment

    def create(self, key: str, data: bytes) -> bool:
        with self._call():
            return super().create(key, data)

    def upload(self, key: str, path: Path) -> None:
        with self._call():
            super().upload(key, path)

    def read(self, key: str) -> bytes:
        with self._call():
            return super().read(key)

    def chunks(self, key: str) -> Iterator[bytes]:
        with self._call():
            yield from super().chunks(key)

    def size(self, key: str) -> int | None:
        with self._call():
            return super().size(key)

    def keys(self, folder: str, after: str = "", limit: int | None = None) -> list[str]:
        with self._call():
            return super().keys(folder, after, limit)

    @contextmanager
    def _call(self) -> Iterator[None]:
        self.calls += 1
        is_fatal = self.calls == self._fatal
        if is_fatal and self._moment == "before":
            die()
        with pytest.MonkeyPatch.context() as patched:
            if is_fatal and self._moment == "during":
                patched.setattr(os, "fsync", die)  # a write is then in its temporary file
            yield


def act(registry: Registry, verb: str) -> None:
    """Do what is tested."""
    if verb == "push":
        registry.push("line", read_estimator(Path("line.joblib")), ROWS)
    elif verb == "promote":
        registry.promote("line@2", "production", force=True, reason="because")
    else:
        registry.rollback("line", "production")


def act_and_die(place: Path, verb: str, fatal: int, moment: str) -> NoReturn:
    """Do what is tested until the fatal call; end well only when there is no such call."""
    store = DyingStore(place, fatal, moment)
    act(Registry(store, author="ann"), verb)
    os._exit(OUTLIVED if store.calls < fatal else 0)


def main(seed: Path, place: Path, verb: str) -> None:
    """Let one process after the other die."""
    if verb == "push":
        package(read_estimator(Path("line.joblib")), ROWS)  # so that all is imported before a fork
    fatal, code = 0, 0
    while code != OUTLIVED:
        fatal += 1
        for moment in MOMENTS:
            copy = place / f"{fatal}-{moment}"
            if seed.exists():
                shutil.copytree(seed, copy)
            child = os.fork()
            if child == 0:
                act_and_die(copy, verb, fatal, moment)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if code not in {-signal.SIGKILL, 0, OUTLIVED}:
                sys.exit(f"{verb} ended with {code} at call {fatal}, {moment}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
