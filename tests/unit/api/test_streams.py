"""Streams of events: told when something has changed, bounded, and over when the process stops."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from coro_events.errors import StoreUnavailableError
from services.api.streams import HEARTBEAT_S, MAX_STREAMS_PER_SESSION, Live
from tests.support.clock import FakeClock

SESSION = b"a session"


class Sight:
    """What there is to be seen."""

    def __init__(self, seen: str | None = "one") -> None:
        self.seen = seen
        self.looks = 0
        self.is_away = False

    async def look(self) -> str | None:
        self.looks += 1
        if self.is_away:
            raise StoreUnavailableError
        return self.seen


@pytest.fixture
def stopping() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
def live(clock: FakeClock, stopping: asyncio.Event) -> Live:
    return Live(clock=clock, stopping=stopping)


async def begun(live: Live, sight: Sight) -> AsyncIterator[str]:
    """Begin a stream and take what comes at once."""
    stream = live.stream(SESSION, sight.look)
    assert await anext(stream) == "retry: 3000\n\n"
    assert await anext(stream) == "event: shown\ndata: one\n\n"
    return stream


async def next_of(stream: AsyncIterator[str], clock: FakeClock, *, wait_s: float) -> str | None:
    """Return the next piece if it comes within a time of the clock."""
    piece = asyncio.ensure_future(anext(stream))
    waited_s = 0.0
    while not piece.done() and waited_s < wait_s:
        await clock.advance(0.5)
        waited_s += 0.5
    if not piece.done():
        piece.cancel()
        return None
    return piece.result()


async def test_change_is_told_within_seconds(live: Live, clock: FakeClock) -> None:
    sight = Sight()
    stream = await begun(live, sight)
    sight.seen = "two"
    assert await next_of(stream, clock, wait_s=3) == "event: shown\ndata: two\n\n"


async def test_silence_is_broken_by_a_heartbeat_also_while_the_database_is_away(live: Live, clock: FakeClock) -> None:
    sight = Sight()
    stream = await begun(live, sight)
    sight.is_away = True
    assert await next_of(stream, clock, wait_s=HEARTBEAT_S + 4) == ": still here\n\n"


async def test_stream_looks_less_often_where_nothing_changes(live: Live, clock: FakeClock) -> None:
    sight = Sight()
    stream = await begun(live, sight)
    for _ in range(5):
        await next_of(stream, clock, wait_s=20)
    assert sight.looks < 40


async def test_stream_ends_for_good_when_nobody_may_see_it_any_more(live: Live, clock: FakeClock) -> None:
    sight = Sight()
    stream = await begun(live, sight)
    sight.seen = None
    assert await next_of(stream, clock, wait_s=3) == "event: over\ndata: ended\n\n"
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert live.open == 0


async def test_stream_ends_at_once_when_the_process_stops(live: Live, stopping: asyncio.Event) -> None:
    stream = await begun(live, Sight())
    stopping.set()
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(anext(stream), timeout=5)
    assert live.open == 0


async def test_session_has_a_few_streams_and_gets_a_place_back(live: Live, stopping: asyncio.Event) -> None:
    streams = [await begun(live, Sight()) for _ in range(MAX_STREAMS_PER_SESSION)]
    refused = [piece async for piece in live.stream(SESSION, Sight().look)]
    assert refused == ["event: over\ndata: full\n\n"]
    assert live.open == MAX_STREAMS_PER_SESSION
    stopping.set()
    for stream in streams:
        assert [piece async for piece in stream] == []
    assert live.open == 0
