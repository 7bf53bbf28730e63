"""A request that makes no progress is ended; one that goes on may take its time."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coro_events.runtime.clock import SystemClock
from services.api.deadline import Deadline
from services.api.edge import Edge
from services.api.metrics import Metrics

LIMIT_S = 0.5
STEPS = 4

Work = Callable[[Receive, Send], Awaitable[None]]


def limited(work: Work) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        await work(receive, send)

    return Deadline(app, limit_s=LIMIT_S)


async def call(work: Work, content: bytes | AsyncIterable[bytes] = b"") -> httpx.Response:
    app = Edge(limited(work), clock=SystemClock(), metrics=Metrics(CollectorRegistry()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as client:
        return await client.post("/", content=content)


async def call_inside(work: Work) -> None:
    """Call without the edge, which would keep an error to itself once an answer has begun."""

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        del message

    await limited(work)({"type": "http"}, receive, send)


async def answer(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})


async def wait(share: float) -> None:
    """Wait for a part of the limit."""
    never = asyncio.Event()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(never.wait(), LIMIT_S * share)


async def test_request_is_ended_with_503_when_it_makes_no_progress() -> None:
    ended = asyncio.Event()

    async def hang(receive: Receive, send: Send) -> None:
        del receive, send
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    got = await call(hang)

    assert got.status_code == 503
    assert got.headers["content-type"] == "application/problem+json"
    assert got.headers["retry-after"] == "1"
    assert got.json()["traceId"] == got.headers["x-coro-trace-id"]
    assert ended.is_set()


async def test_request_goes_on_when_its_body_keeps_coming() -> None:
    async def read(receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            await wait(0.4)
        await answer(send)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(STEPS):
            yield b"piece"

    assert (await call(read, pieces())).text == "done"


async def test_request_goes_on_when_its_answer_keeps_going() -> None:
    async def write(receive: Receive, send: Send) -> None:
        del receive
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(STEPS):
            await wait(0.4)
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    assert (await call(write)).text == "x" * STEPS


async def test_answer_is_broken_off_when_it_stops_in_the_middle() -> None:
    async def stop(receive: Receive, send: Send) -> None:
        del receive
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await call_inside(stop)


async def test_time_out_of_the_work_itself_is_not_taken_for_the_deadline() -> None:
    async def fail(receive: Receive, send: Send) -> None:
        del receive, send
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await call_inside(fail)
