"""Names of models and environments, and references such as diabetes@3."""

from __future__ import annotations

import re

import msgspec

from greenroom.errors import InvalidInput

_NAME = re.compile(r"[a-z](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[1-9][0-9]{0,7}")
# Windows cannot store a file of these names, and a registry may be a directory there.
_RESERVED = frozenset({"aux", "con", "nul", "prn"})


class Reference(msgspec.Struct, frozen=True):
    """A model with a version's number, an environment's name, or neither (its newest version)."""

    model: str
    version: int | None = None
    environment: str | None = None

    def __str__(self) -> str:
        target = self.version or self.environment
        return f"{self.model}@{target}" if target else self.model


def check_name(name: str, kind: str) -> str:
    """Return `name`, or raise InvalidInput: `kind` says what it names in the message."""
    if _NAME.fullmatch(name) and name not in _RESERVED:
        return name
    raise InvalidInput(
        f"{name!r} cannot be the name of {kind}: use 1 to 63 of a-z, 0-9, - and _, "
        "beginning with a letter and ending with a letter or digit"
    )


def parse_reference(text: str) -> Reference:
    """Read `model`, `model@7` or `model@production`; raise InvalidInput for anything else."""
    model, at, target = text.partition("@")
    check_name(model, "a model")
    if not at:
        return Reference(model)
    if _NUMBER.fullmatch(target):
        return Reference(model, version=int(target))
    if target[:1].isdigit():
        raise InvalidInput(
            f"{text!r} is no version: numbers run from 1 to 99999999, as in model@7"
        )
    return Reference(model, environment=check_name(target, "an environment"))
