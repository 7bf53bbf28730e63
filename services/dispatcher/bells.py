"""What the loops of a dispatcher tell each other: that there is work, and that they are alive."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from coro_events.runtime.clock import Clock

Result = TypeVar("Result")


class Bells:
    """Events that spare a loop its next interval; a bell that nobody hears costs an interval and nothing else."""

    def __init__(self) -> None:
        # Rows are due that nobody holds.
        self.work_is_due = asyncio.Event()
        # A webhook was disabled or removed: what waits for it is to be held back.
        self.webhook_stopped = asyncio.Event()

    def ring_all(self) -> None:
        """Let every loop look up, such as when the process stops."""
        self.work_is_due.set()
        self.webhook_stopped.set()


class Progress:
    """When each loop last went round; /healthz looks at it.

    A loop goes round when it begins its work anew, and with each try at what PostgreSQL or Kafka did not do: who waits
    for a server is alive.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._limits: dict[str, float] = {}
        self._rounds: dict[str, float] = {}
        self._resting: set[str] = set()

    def expect(self, limits_s: Mapping[str, float]) -> None:
        """Hold these loops, and no others, to the longest time that a round of each may take; count from now."""
        self._limits = dict(limits_s)
        self.count_anew()

    def went_round(self, loop: str) -> None:
        """Note that a loop begins its work anew."""
        self._rounds[loop] = self._clock.monotonic()

    def each_try(self, loop: str, work: Callable[[], Awaitable[Result]]) -> Callable[[], Awaitable[Result]]:
        """Return the work as one that notes a round of its loop whenever it is tried."""

        async def noted() -> Result:
            self.went_round(loop)
            return await work()

        return noted

    def note(self, loop: str, *, has_work: bool) -> None:
        """Tell whether a loop has anything to do; it may stand still while it has not."""
        if not has_work:
            self._resting.add(loop)
        elif loop in self._resting:
            self._resting.remove(loop)
            self.went_round(loop)

    def count_anew(self) -> None:
        """Give every loop its whole time again, as after an outage that explains why they stood still."""
        self._rounds.update(dict.fromkeys(self._limits, self._clock.monotonic()))

    def stuck(self) -> dict[str, float]:
        """Return the loops that have work and took too long for a round, each with its seconds."""
        now = self._clock.monotonic()
        still_s = {loop: now - self._rounds[loop] for loop in self._limits if loop not in self._resting}
        return {loop: still_s[loop] for loop in still_s if still_s[loop] > self._limits[loop]}


async def first_of(event: asyncio.Event, limit_s: float) -> None:
    """Wait for an event, but not longer than the limit."""
    try:
        async with asyncio.timeout(limit_s):
            await event.wait()
    except TimeoutError:
        return
