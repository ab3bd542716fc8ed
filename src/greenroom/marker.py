"""greenroom.json: what tells a registry from other directories, and a fit store from an unfit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from greenroom.documents import decode, encode
from greenroom.errors import NotFound, Refused
from greenroom.layout import FORMAT, MARKER

if TYPE_CHECKING:
    from greenroom.store import Store


class Marker(msgspec.Struct, frozen=True):
    """The whole content of greenroom.json."""

    format: int


def check(store: Store) -> None:
    """Raise NotFound unless the store holds a registry, Corrupted for one that is too new."""
    try:
        data = store.read(MARKER)
    except NotFound as error:
        raise NotFound(
            f"{store.location} is not a registry: it has no {MARKER}; "
            "check the address, or push a model there to begin one"
        ) from error
    decode(data, Marker, f"{MARKER} in {store.location}")


def ensure(store: Store) -> None:
    """Make the store a registry unless it is one.

    Raises Refused when something else is there already, or when the store lets a second writer
    replace what a first has created: promotions would be lost in such a store.
    """
    try:
        check(store)
    except NotFound:
        _begin(store)


def _begin(store: Store) -> None:
    found = store.keys("")
    if found and MARKER not in found:  # with it, another writer has begun the registry meanwhile
        raise Refused(
            f"{store.location} is not a registry and not empty (it holds {found[0]}); "
            "name an empty place"
        )
    data = encode(Marker(FORMAT))
    store.create(MARKER, data)
    if store.create(MARKER, data):
        store.delete(MARKER)
        raise Refused(
            f"{store.location} is unfit for a registry: it replaces what must be created only "
            "once; use a store that honours If-None-Match"
        )
