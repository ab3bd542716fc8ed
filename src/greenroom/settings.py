"""greenroom.toml and the environment's variables, read once into a frozen object."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from greenroom.errors import InvalidInput, NotFound, nearest
from greenroom.names import Reference, check_name, parse_reference
from greenroom.registry import Registry
from greenroom.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

FILE = "greenroom.toml"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of greenroom.toml."""

    registry: str | None = None
    model: str | None = None
    environments: tuple[str, ...] = ("production",)
    tests: tuple[str, ...] = ("model_tests",)
    examples: str | None = None
    store: dict[str, str] = {}


class Settings(msgspec.Struct, frozen=True):
    """Where the registry is, and what commands mean when they leave something out.

    `model` is None where none is named; `tests` and `examples`, a CSV of rows to push with a
    model, are absolute; the last of `environments` is the one that commands mean; `store` are
    options for the registry's store.
    """

    registry: str
    model: Reference | None
    environments: tuple[str, ...]
    tests: tuple[Path, ...]
    examples: Path | None
    store: dict[str, str]

    @property
    def environment(self) -> str:
        """The environment that commands mean when they name none."""
        return (self.model and self.model.environment) or self.environments[-1]

    def reference(self, given: str | None) -> str:
        """Return what names a version: as `given`, else the newest of the settings' model."""
        if given:
            return given
        if self.model:
            return self.model.model
        raise InvalidInput(f'no model is named: name one, or write model = "…" in {FILE}')

    def named_model(self, given: str | None) -> str:
        """Return the name of the model in what is `given`, else the settings' model."""
        return self.reference(given).partition("@")[0]

    def model_and_environment(self, given: str | None) -> tuple[str, str]:
        """Return both of `production`, `diabetes@production`, or of the settings."""
        if given and "@" in given:
            model, _, environment = given.partition("@")
            return model, environment
        return self.named_model(None), given or self.environment

    def known_environment(self, given: str | None) -> str:
        """Return the environment to promote to, which has to be one of the settings'."""
        if given and given not in self.environments:
            near = nearest(given, self.environments)
            raise NotFound(f"{FILE} names no environment {given}; {near}")
        return given or self.environment


def read_settings(directory: Path | None = None, registry: str | None = None) -> Settings:
    """Read greenroom.toml in `directory` (default: here) or above it, and GREENROOM_* variables.

    `registry` wins over GREENROOM_REGISTRY, and that over the file. Raises InvalidInput naming
    what is wrong, or that no registry is named anywhere.
    """
    path = _find(directory or Path.cwd())
    file = _read(path) if path else _File()
    folder = path.parent if path else Path.cwd()
    location = registry or os.environ.get("GREENROOM_REGISTRY") or _beside(path, file.registry)
    if not location:
        raise InvalidInput(
            f"no registry is named: pass --registry, set GREENROOM_REGISTRY, or write "
            f'registry = "…" in {FILE}'
        )
    if not file.environments:
        raise InvalidInput(f'{path} names no environment: write environments = ["production"]')
    named = os.environ.get("GREENROOM_MODEL") or file.model
    return Settings(
        registry=location,
        model=parse_reference(named) if named else None,
        environments=tuple(check_name(name, "an environment") for name in file.environments),
        tests=tuple(folder / test for test in file.tests),
        examples=folder / file.examples if file.examples else None,
        store=file.store,
    )


def open_registry(registry: str | None = None) -> Registry:
    """Open the registry at a URL or directory, or the one that the settings name.

    Nothing is contacted yet. Raises InvalidInput where no registry is named.
    """
    return connect(read_settings(registry=registry))


def connect(settings: Settings, progress: Callable[[int, int], None] | None = None) -> Registry:
    """Return the registry that the settings name; `progress` is as Registry takes it."""
    store = open_store(settings.registry, settings.store)
    return Registry(store, author=author(), progress=progress)


def author() -> str:
    """Return who is at work: GREENROOM_AUTHOR, else git's user, else the system's."""
    named = os.environ.get("GREENROOM_AUTHOR")
    return named or _git_user() or _system_user()


def _git_user() -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "config", "user.email"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # fixed words, no shell
    return done.stdout.strip() or None


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"


def _find(directory: Path) -> Path | None:
    folders = (directory.absolute(), *directory.absolute().parents)
    return next((folder / FILE for folder in folders if (folder / FILE).is_file()), None)


def _read(path: Path) -> _File:
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), _File)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}") from error
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{path} says something that is not a setting: {error}") from error


def _beside(path: Path | None, registry: str | None) -> str | None:
    if path is None or registry is None or ":" in registry:
        return registry
    return str(path.parent / registry)
