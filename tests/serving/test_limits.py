from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.serving.limits import MOST_BYTES, RequestRefused, check_headers, read_body

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = (b"content-type", b"application/json")


def receiver(*messages: Any) -> Any:
    """Give an ASGI `receive` that gives these messages in turn."""
    left: Iterator[Any] = iter(messages)

    async def receive() -> Any:
        return next(left)

    return receive


def part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.parametrize(
    "kind", [b"application/json", b"Application/JSON", b"application/json; charset=utf-8"]
)
def test_plain_json_is_let_in(kind: bytes) -> None:
    check_headers([(b"content-type", kind), (b"content-length", str(MOST_BYTES).encode())])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 415),
        ([(b"content-type", b"application/jsonl")], 415),
        ([(b"content-type", b"text/plain; application/json")], 415),
        ([JSON, (b"content-encoding", b"gzip")], 415),
        ([JSON, (b"content-length", str(MOST_BYTES + 1).encode())], 413),
        ([JSON, (b"content-length", b"9" * 5000)], 413),
    ],
)
def test_other_headers_are_refused(headers: list[tuple[bytes, bytes]], status: int) -> None:
    with pytest.raises(RequestRefused) as refusal:
        check_headers(headers)
    assert refusal.value.status == status


def test_a_body_is_put_together_from_its_parts() -> None:
    receive = receiver(part(b"[1, ", more=True), part(b"", more=True), part(b"2]"))
    assert asyncio.run(read_body(receive)) == b"[1, 2]"


def test_a_body_of_just_the_limit_is_read() -> None:
    assert len(asyncio.run(read_body(receiver(part(b"x" * MOST_BYTES))))) == MOST_BYTES


def test_reading_ends_at_the_part_that_goes_over_the_limit() -> None:
    parts = [part(b"x" * MOST_BYTES, more=True), part(b"x", more=True)]
    with pytest.raises(RequestRefused) as refusal:  # a third read would raise StopIteration
        asyncio.run(read_body(receiver(*parts)))
    assert refusal.value.status == 413


def test_a_client_that_leaves_is_not_waited_for() -> None:
    receive = receiver(part(b"[1, ", more=True), {"type": "http.disconnect"})
    with pytest.raises(RequestRefused, match="cut short"):
        asyncio.run(read_body(receive))


def test_a_server_that_stops_answers_who_is_still_sending() -> None:
    async def stop_while_reading() -> None:
        reading = asyncio.create_task(read_body(asyncio.Event().wait))
        await asyncio.sleep(0)
        reading.cancel()
        await reading

    with pytest.raises(RequestRefused) as refusal:
        asyncio.run(stop_while_reading())
    assert refusal.value.status == 503
