"""Where a version comes from: the commit, the data file and the packages, as far as known."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
from importlib.metadata import distributions
from typing import TYPE_CHECKING

from greenroom.errors import InvalidInput
from greenroom.manifest import Lineage

if TYPE_CHECKING:
    from pathlib import Path


def observe(directory: Path, estimator: object, data: Path | None) -> Lineage:
    """Record what made a version: `directory` is asked for its git commit, `data` is digested.

    What cannot be known is None. Raises InvalidInput when the data file cannot be read.
    """
    status = _git(directory, "status", "--porcelain")
    return Lineage(
        estimator=f"{type(estimator).__module__}.{type(estimator).__qualname__}",
        git_commit=_git(directory, "rev-parse", "HEAD"),
        git_dirty=None if status is None else bool(status),
        data_sha256=_digest_of(data) if data else None,
        python=platform.python_version(),
        packages=_packages(),
    )


def _packages() -> dict[str, str]:
    # Of several with one name, the first is the one that Python imports. An uninstallation that
    # was cut short leaves some without a name.
    every = reversed(list(distributions()))
    found = {each.name: each.version for each in every if "Name" in each.metadata}
    return {name: found[name] for name in sorted(found, key=str.lower)}


def _digest_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InvalidInput(f"the data file {path} cannot be read: {error.strerror}") from error


def _git(directory: Path, *arguments: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "-C", str(directory), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # fixed words, no shell
    return done.stdout.strip() if done.returncode == 0 else None
