"""A clock that the test owns: time passes when the test says so, and chance is what the test chose."""

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

from tests.support.waiting import let_others_run

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


class FakeClock:
    """Satisfies `coro_events.runtime.clock.Clock`.

    Attributes:
        sleeps: Every duration that was asked for, in seconds, in order.
        chances: What `chance` returns next; when it is empty, 0.5.
        auto_advance: Let each sleep move the time by itself and return at once.
    """

    def __init__(self, start: datetime = START, *, auto_advance: bool = False) -> None:
        self.auto_advance = auto_advance
        self.sleeps: list[float] = []
        self.chances: list[float] = []
        self._start = start
        self._elapsed_s = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    @property
    def sleepers(self) -> int:
        """How many tasks are waiting for time to pass."""
        return sum(not future.done() for _, _, future in self._sleepers)

    def now(self) -> datetime:
        """Return the wall-clock time of the test."""
        return self._start + timedelta(seconds=self._elapsed_s)

    def monotonic(self) -> float:
        """Return the seconds that have passed since the clock was made, plus a thousand."""
        return 1000.0 + self._elapsed_s

    async def sleep(self, duration_s: float) -> None:
        """Wait until the test has moved the time so far; with auto-advance, move it."""
        self.sleeps.append(duration_s)
        if self.auto_advance:
            self._elapsed_s += max(duration_s, 0.0)
            await let_others_run()
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed_s + duration_s, next(self._order), future))
        await future

    def chance(self) -> float:
        """Return the next chosen chance."""
        return self.chances.pop(0) if self.chances else 0.5

    def set(self, now: datetime) -> None:
        """Jump to a wall-clock time without waking anybody; monotonic time moves along."""
        self._elapsed_s = (now - self._start).total_seconds()

    async def advance(self, duration_s: float) -> None:
        """Move the time; wake the sleepers whose time has come, each at its own moment, in order."""
        end_s = self._elapsed_s + duration_s
        await let_others_run()
        while self._sleepers and self._sleepers[0][0] <= end_s:
            due_s, _, future = heapq.heappop(self._sleepers)
            if future.done():
                continue
            self._elapsed_s = max(self._elapsed_s, due_s)
            future.set_result(None)
            await let_others_run()
        self._elapsed_s = end_s
        await let_others_run()
