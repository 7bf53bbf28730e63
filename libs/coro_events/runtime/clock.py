"""The one place that asks for the time, waits and rolls dice."""

import asyncio
import random
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time and chance as an argument, so that a test can own both."""

    def now(self) -> datetime:
        """Return the wall-clock time as an aware UTC datetime."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start; never goes backwards."""
        ...

    async def sleep(self, duration_s: float) -> None:
        """Wait for so many seconds."""
        ...

    def chance(self) -> float:
        """Return a random number in [0, 1)."""
        ...


class SystemClock:
    """The machine's own clock and chance."""

    def now(self) -> datetime:
        """Return the wall-clock time as an aware UTC datetime."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since the machine started."""
        return time.monotonic()

    async def sleep(self, duration_s: float) -> None:
        """Wait for so many seconds."""
        await asyncio.sleep(duration_s)

    def chance(self) -> float:
        """Return a random number in [0, 1), for spreading load and not for secrets."""
        return random.random()  # noqa: S311 - jitter needs no cryptographic chance
