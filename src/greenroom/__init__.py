"""Store a model in a bucket, test it with pytest, promote it with one atomic write."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from greenroom.errors import GreenroomError
    from greenroom.log import Promotion
    from greenroom.manifest import Manifest, Version
    from greenroom.registry import Registry, Training
    from greenroom.serving import serve
    from greenroom.settings import open_registry
    from greenroom.verdict import Verdict

__all__ = [
    "GreenroomError",
    "Manifest",
    "Promotion",
    "Registry",
    "Training",
    "Verdict",
    "Version",
    "open_registry",
    "serve",
]

_HOMES = {
    "GreenroomError": "errors",
    "Manifest": "manifest",
    "Promotion": "log",
    "Registry": "registry",
    "Training": "registry",
    "Verdict": "verdict",
    "Version": "manifest",
    "open_registry": "settings",
    "serve": "serving",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that `greenroom --help` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'greenroom' has no attribute {name!r}")
    return getattr(import_module(f"greenroom.{_HOMES[name]}"), name)
