"""Rounds of chores: all that are there, one after the other, for as long as this process leads."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from coro_events.runtime.clock import Clock
from coro_events.runtime.logs import get_logger
from services.scheduler.pausing import pause
from services.scheduler.planned import Planned
from services.scheduler.standing import Standing

_log = get_logger("rounds")


class Chore(Protocol):
    """Something that is to be done again and again, and does no harm when it is done once too often."""

    @property
    def name(self) -> str:
        """Its name in logs and metrics."""
        ...

    async def run_once(self, now: datetime) -> Mapping[str, object]:
        """Do what is due at this time; return what was done, for the log line."""
        ...

    async def preview(self, now: datetime) -> Sequence[Planned]:
        """Return what `run_once` would do at this time, and change nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Report:
    """How one run of one chore ended.

    Attributes:
        did: What the chore says it did; empty on failure.
        error: Class of the error, empty on success.
    """

    chore: str
    duration_s: float
    did: Mapping[str, object]
    error: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether the run ended well."""
        return not self.error


class Rounds:
    """Runs the chores.

    Attributes:
        finished: Set when no chore runs any more and none will.
        moved_at: When there was last a step forward, on the clock's monotonic scale, in seconds.
    """

    def __init__(
        self,
        *,
        chores: Sequence[Chore],
        clock: Clock,
        standing: Standing,
        interval_s: float,
        tick_s: float,
        chore_limit_s: float,
    ) -> None:
        self.finished = asyncio.Event()
        self.moved_at = clock.monotonic()
        self._chores = chores
        self._clock = clock
        self._standing = standing
        self._interval_s = interval_s
        self._tick_s = tick_s
        self._chore_limit_s = chore_limit_s

    async def run(self, leads: Callable[[], Awaitable[bool]], stopping: asyncio.Event) -> None:
        """Start a round whenever one is due and we lead; end with the chore at hand when asked to stop."""
        due_at = self._clock.monotonic()
        try:
            while not stopping.is_set():
                self.moved_at = self._clock.monotonic()
                if self.moved_at >= due_at and await leads():
                    due_at = self.moved_at + self._interval_s
                    await self._round(leads, stopping)
                await pause(self._clock, self._tick_s, stopping)
        finally:
            self.finished.set()

    async def once(self, now: datetime) -> list[Report]:
        """Run every chore once, as at this time, whoever leads."""
        return [await self._perform(chore, now) for chore in self._chores]

    async def _round(self, leads: Callable[[], Awaitable[bool]], stopping: asyncio.Event) -> None:
        for chore in self._chores:
            # Asked anew each time: while the last chore ran, somebody else may have taken over.
            if stopping.is_set() or not await leads():
                _log.info("round.abandoned", before=chore.name)
                return
            await self._perform(chore, self._clock.now())
            self.moved_at = self._clock.monotonic()

    async def _perform(self, chore: Chore, now: datetime) -> Report:
        started_at = self._clock.monotonic()
        try:
            async with asyncio.timeout(self._chore_limit_s):
                did = await chore.run_once(now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other chores must run
            report = Report(chore.name, self._clock.monotonic() - started_at, {}, error=type(error).__name__)
            _log.error(
                "chore.failed", chore=report.chore, duration_s=report.duration_s, error=str(error), exc_info=error
            )
            self._standing.failed(chore.name, error=report.error, duration_s=report.duration_s)
            return report
        report = Report(chore.name, self._clock.monotonic() - started_at, did)
        _log.info("chore.finished", chore=report.chore, duration_s=report.duration_s, **did)
        self._standing.succeeded(chore.name, at=self._clock.now(), duration_s=report.duration_s)
        return report
