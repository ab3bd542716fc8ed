"""What a request may cost: its type and size, checked before anything is made of it."""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

MOST_BYTES = 1 << 20
MOST_ROWS = 10_000


class RequestRefused(Exception):
    """A request that is answered with an HTTP status and a reason, before its rows are read.

    `allow` names the methods that would have been right.
    """

    def __init__(self, status: int, reason: str, allow: str | None = None) -> None:
        self.status = status
        self.reason = reason
        self.allow = allow
        super().__init__(reason)


def check_headers(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refuse a body that is not plain JSON, or that says it is too long."""
    fields = dict(headers)
    kind = fields.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise RequestRefused(415, "send the header Content-Type: application/json")
    if b"content-encoding" in fields:
        raise RequestRefused(415, "send the body as it is, not compressed")
    length = fields.get(b"content-length", b"0")
    if length.isdigit() and int(length[:20]) > MOST_BYTES:
        raise _too_large()


async def read_body(receive: Callable[[], Awaitable[Any]]) -> bytes:
    """Return a request's body; raises RequestRefused as soon as it is too long or cut short."""
    body = bytearray()
    while True:
        message = await _receive(receive)
        if message["type"] == "http.disconnect":
            raise RequestRefused(400, "the body was cut short")
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            raise _too_large()
        if not message.get("more_body"):
            return bytes(body)


async def _receive(receive: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await receive()
    except CancelledError:
        raise RequestRefused(503, "the server is stopping; send this again") from None


def _too_large() -> RequestRefused:
    return RequestRefused(413, f"the body is over {MOST_BYTES} bytes; send fewer rows at a time")
