"""Deadlines of exchanges: one timer for all of them, because all are equally long and so end in their order."""

import asyncio
from typing import Any


class Deadlines:
    """Fails futures whose time is over. A timer for each would cost as much as parsing its answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, length_s: float) -> None:
        self._loop = loop
        self._length_s = length_s
        # Each with its end by the loop's clock; the earliest first.
        self._ends: dict[asyncio.Future[Any], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, waiter: asyncio.Future[Any]) -> None:
        """Let a future fail with TimeoutError unless it is removed in time."""
        end = self._loop.time() + self._length_s
        self._ends[waiter] = end
        if self._timer is None:
            self._timer = self._loop.call_at(end, self._end)

    def remove(self, waiter: asyncio.Future[Any]) -> None:
        """Forget a future."""
        del self._ends[waiter]

    def _end(self) -> None:
        now = self._loop.time()
        self._timer = None
        for waiter, end in self._ends.items():
            if end > now:
                self._timer = self._loop.call_at(end, self._end)
                return
            if not waiter.done():
                waiter.set_exception(TimeoutError())

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
