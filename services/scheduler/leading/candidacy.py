"""Keeps asking for the lead, and knows whether this process has it."""

import asyncio
from collections.abc import Callable

from coro_events.errors import StoreUnavailableError
from coro_events.runtime.clock import Clock
from coro_events.runtime.logs import get_logger
from services.scheduler.leading.ports import Leadership
from services.scheduler.pausing import pause

_log = get_logger("leading")


class Candidacy:
    """One process's wish to lead.

    Attributes:
        leading: The last answer.
        asked_at: When it was given, on the clock's monotonic scale, in seconds.
    """

    def __init__(
        self, *, leadership: Leadership, clock: Clock, heartbeat_s: float, announce: Callable[[bool], None]
    ) -> None:
        self.leading = False
        self.asked_at = clock.monotonic()
        self._leadership = leadership
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._announce = announce

    async def run(self, finished: asyncio.Event) -> None:
        """Ask on every heartbeat, also while chores run; resign when the last one is finished."""
        try:
            while not finished.is_set():
                await self.leads()
                await pause(self._clock, self._heartbeat_s, finished)
        finally:
            await self._leadership.resign()
            self._become(leading=False)

    async def leads(self) -> bool:
        """Ask now; nobody to be asked means no."""
        try:
            leading = await self._leadership.seek()
        except StoreUnavailableError as error:
            _log.warning("leadership.unknown", error=str(error))
            leading = False
        self.asked_at = self._clock.monotonic()
        self._become(leading=leading)
        return leading

    def _become(self, *, leading: bool) -> None:
        if leading != self.leading:
            self.leading = leading
            _log.info("leadership.taken" if leading else "leadership.left")
            self._announce(leading)
