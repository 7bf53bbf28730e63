"""What the loops of a dispatcher tell each other: that there is work, and that they are alive."""

import asyncio

from coro_events.runtime.clock import Clock


class Bells:
    """Events that spare a loop its next interval; a bell that nobody hears costs an interval and nothing else."""

    def __init__(self) -> None:
        # Rows are due that nobody holds.
        self.work_is_due = asyncio.Event()
        # A webhook was disabled or removed: what waits for it is to be settled.
        self.webhook_stopped = asyncio.Event()

    def ring_all(self) -> None:
        """Let every loop look up, such as when the process stops."""
        self.work_is_due.set()
        self.webhook_stopped.set()


class Progress:
    """When each loop last went round; /healthz looks at it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rounds: dict[str, float] = {}

    def went_round(self, loop: str) -> None:
        """Note that a loop begins its work anew."""
        self._rounds[loop] = self._clock.monotonic()

    def still_s(self) -> float:
        """Return for how many seconds no loop has gone round; 0 before the first did."""
        return self._clock.monotonic() - max(self._rounds.values()) if self._rounds else 0.0


async def first_of(event: asyncio.Event, limit_s: float) -> None:
    """Wait for an event, but not longer than the limit."""
    try:
        async with asyncio.timeout(limit_s):
            await event.wait()
    except TimeoutError:
        return
