"""Streams of server-sent events: looks every second or so, and tells what has changed."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

from coro_events.errors import StoreUnavailableError
from coro_events.runtime.clock import Clock

MEDIA_TYPE = "text/event-stream; charset=utf-8"
# Proxies neither keep nor gather what is sent.
HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}

# Between two looks: soon after a change, and where nothing has changed for a while.
BUSY_S = 1.0
QUIET_S = 3.0
QUIET_LOOKS = 20
# Proxies close what is silent for a minute, and our own deadline what is silent for half of one.
HEARTBEAT_S = 12.0
# One page is one stream; a person has a few pages open.
MAX_STREAMS_PER_SESSION = 6
MAX_STREAMS = 200

# What is to be seen now, as one line of text; none where nobody may see it any more.
Look = Callable[[], Awaitable[str | None]]


class Live:
    """Bounds how many streams there are, and ends them all when the process stops."""

    def __init__(self, *, clock: Clock, stopping: asyncio.Event) -> None:
        self._clock = clock
        self._stopping = stopping
        self._open: Counter[bytes] = Counter()

    @property
    def open(self) -> int:
        """How many streams there are."""
        return self._open.total()

    async def stream(self, session: bytes, look: Look) -> AsyncIterator[str]:
        """Yield what is to be seen whenever it has changed, as events `shown`; an event `over` is the last one.

        It ends when the reader goes away, when the process stops, and when `look` returns none. A reader comes back by
        itself after the second, and not after an event `over`.

        Args:
            session: Whose stream it is; each has a few at most.
            look: What is to be seen.
        """
        if self._open[session] >= MAX_STREAMS_PER_SESSION or self.open >= MAX_STREAMS:
            yield event("over", "full")
            return
        self._open[session] += 1
        try:
            async for piece in self._pieces(look):
                yield piece
        finally:
            self._open[session] -= 1
            if not self._open[session]:
                del self._open[session]

    async def _pieces(self, look: Look) -> AsyncIterator[str]:
        yield "retry: 3000\n\n"
        told, told_s, same = "", self._clock.monotonic(), 0
        while not self._stopping.is_set():
            try:
                seen = await look()
            except StoreUnavailableError:
                # It is tried again with the next look; the reader need not know.
                seen = told
            if seen is None:
                yield event("over", "ended")
                return
            if seen != told:
                told, told_s, same = seen, self._clock.monotonic(), 0
                yield event("shown", seen)
            elif self._clock.monotonic() - told_s >= HEARTBEAT_S:
                told_s = self._clock.monotonic()
                yield ": still here\n\n"
            same += 1
            await self._pause(BUSY_S if same < QUIET_LOOKS else QUIET_S)

    async def _pause(self, duration_s: float) -> None:
        waits = [asyncio.ensure_future(self._stopping.wait()), asyncio.ensure_future(self._clock.sleep(duration_s))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def event(name: str, line: str) -> str:
    """Return an event with one line of text."""
    return f"event: {name}\ndata: {line}\n\n"
