"""Where everything lies in a bucket: format 1 (docs/reference/bucket-format.md)."""

from __future__ import annotations

import re

FORMAT = 1
MARKER = "greenroom.json"
MODELS = "models/"

_NUMBERED = re.compile(r"([0-9]{8})\.json")


def blob(sha256: str) -> str:
    """Return the key of a file's bytes, given their sha256 in lower-case hex."""
    return f"blobs/sha256/{sha256}"


def versions(model: str) -> str:
    """Return the folder of a model's manifests."""
    return f"{MODELS}{model}/versions/"


def verdicts(model: str, version: int) -> str:
    """Return the folder of a version's verdicts."""
    return f"{MODELS}{model}/verdicts/{version:08d}/"


def environments(model: str) -> str:
    """Return the folder that holds a folder for each of a model's environments."""
    return f"{MODELS}{model}/environments/"


def environment(model: str, name: str) -> str:
    """Return the folder of an environment's promotion log."""
    return f"{environments(model)}{name}/"


def numbered(folder: str, number: int) -> str:
    """Return the key of document `number` (from 1) in a folder of numbered documents."""
    return f"{folder}{number:08d}.json"


def number_of(key: str) -> int | None:
    """Return the number in a numbered document's key, or None for any other key."""
    match = _NUMBERED.fullmatch(key.rpartition("/")[2])
    return int(match[1]) if match else None
