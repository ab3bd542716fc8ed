"""The routes, as one plain ASGI application; nothing that a client sends changes anything."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import msgspec

from greenroom.errors import InvalidRows, Refused
from greenroom.serving import page, protocols
from greenroom.serving.limits import RequestRefused, check_headers, read_body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from greenroom.serving.live import Live

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[Any]]
    Send = Callable[[Any], Awaitable[None]]

_JSON = b"application/json"
_HTML = b"text/html; charset=utf-8"


class _Health(msgspec.Struct):
    status: str
    model: str
    environment: str
    version: int | None
    digest: str | None
    sequence: int | None
    failure: str | None


class App:
    """POST /predict, GET /health, GET /; it polls what it serves while it runs."""

    def __init__(self, live: Live, poll_seconds: float) -> None:
        self._live = live
        self._poll_seconds = poll_seconds
        self._routes = {
            "/": ("GET, HEAD", self._page),
            "/health": ("GET, HEAD", self._health),
            "/predict": ("POST", self._predict),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run from the server's start to its end (ASGI's lifespan)."""
        if scope["type"] == "lifespan":
            await self._run(receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        allow = None
        try:
            status, kind, body = await self._route(scope, receive)
        except RequestRefused as refusal:
            status, kind, body = refusal.status, _JSON, protocols.write_refusal(refusal.reason)
            allow = refusal.allow
        except InvalidRows as error:
            status, kind, body = 400, _JSON, protocols.write_refusal(str(error), error.faults)
        except Refused as error:
            status, kind, body = 400, _JSON, protocols.write_refusal(str(error))
        await _send(send, status, kind, body, allow)

    async def _route(self, scope: Scope, receive: Receive) -> tuple[int, bytes, bytes]:
        found = self._routes.get(scope["path"])
        if found is None:
            raise RequestRefused(404, f"there are: {', '.join(self._routes)}")
        methods, answer = found
        if scope["method"] not in methods.split(", "):
            raise RequestRefused(405, f"this takes {methods}", allow=methods)
        return await answer(scope, receive)

    async def _predict(self, scope: Scope, receive: Receive) -> tuple[int, bytes, bytes]:
        served = self._live.served
        if served is None:
            raise RequestRefused(503, "no version is loaded yet; see /health")
        check_headers(scope["headers"])
        rows = protocols.read_rows(await read_body(receive), served.predictor.schema)
        return 200, _JSON, protocols.write_answers(served.predictor.answer(rows), served)

    async def _health(self, _scope: Scope, _receive: Receive) -> tuple[int, bytes, bytes]:
        live, served = self._live, self._live.served
        health = _Health(
            status="ready" if served else "not ready",
            model=live.model,
            environment=live.environment,
            version=served.version.number if served else None,
            digest=served.version.digest if served else None,
            sequence=served.promotion.sequence if served else None,
            failure=live.failure,
        )
        return 200 if served else 503, _JSON, msgspec.json.encode(health)

    async def _page(self, _scope: Scope, _receive: Receive) -> tuple[int, bytes, bytes]:
        return 200, _HTML, page.render(self._live)

    async def _run(self, receive: Receive, send: Send) -> None:
        await receive()
        await asyncio.to_thread(self._live.poll)
        follower = asyncio.create_task(self._follow())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        follower.cancel()
        await send({"type": "lifespan.shutdown.complete"})

    async def _follow(self) -> None:
        while True:
            jitter = random.uniform(0.8, 1.2)  # noqa: S311  # spreads servers, guards nothing
            await asyncio.sleep(self._poll_seconds * jitter)
            await asyncio.to_thread(self._live.poll)


async def _send(send: Send, status: int, kind: bytes, body: bytes, allow: str | None) -> None:
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    if allow:
        headers.append((b"allow", allow.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
