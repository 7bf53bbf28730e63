"""The relay: takes what waits in the outbox to Kafka, in order, and forgets it after the acknowledgement.

A message may be published twice (the process may die between the two steps) and never not at all; its id is stable, so
readers recognise the second copy.
"""

import asyncio
import math
from functools import partial

from coro_events.errors import PublishError, StoreUnavailableError
from coro_events.runtime.clock import Clock
from coro_events.runtime.logs import get_logger
from coro_events.runtime.retrying import until_it_works
from services.api.metrics import Metrics
from services.api.publish.ports import Outbox, OutboxSession, Publisher

# All that is held in memory, however long Kafka is away.
BATCH_MESSAGES = 100
# How far the outbox is counted, and how often while it is long.
COUNTED = 100_000
COUNT_EVERY_S = 5.0
# Longer than any single step may take, retries of it aside.
SILENCE_S = 90.0

_log = get_logger("publish")


class Relay:
    """One replica's relay; over all replicas one at a time is at work."""

    def __init__(self, *, outbox: Outbox, publisher: Publisher, clock: Clock, metrics: Metrics, poll_s: float) -> None:
        self._outbox = outbox
        self._publisher = publisher
        self._clock = clock
        self._metrics = metrics
        self._poll_s = poll_s
        self._last_step_s = clock.monotonic()
        self._last_count_s = -math.inf
        self._problem: str | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Relay until `stopping` is set; then publish what waits, if Kafka takes it, and end.

        What cannot be published at the end stays in the outbox for the next relay.
        """
        try:
            while not await self._turn(stopping):
                pass
        except (StoreUnavailableError, PublishError) as error:
            _log.warning("relay.left_messages", error=str(error))
        finally:
            self._metrics.relay_leads.set(0)
            await self._publisher.close()

    async def _turn(self, stopping: asyncio.Event) -> bool:
        """Work through one election; return whether this was the last."""
        return await until_it_works(
            partial(self._elected, stopping),
            name="outbox relay",
            errors=(StoreUnavailableError, PublishError),
            clock=self._clock,
            stopping=stopping,
        )

    async def _elected(self, stopping: asyncio.Event) -> bool:
        try:
            async with self._outbox.session() as session:
                if not await self._leads(session, stopping):
                    return True
                while True:
                    # Looked at before the messages are, so that the last look comes after the last change.
                    is_last = stopping.is_set()
                    if await self._relay(session) == BATCH_MESSAGES:
                        continue
                    if is_last:
                        return True
                    await self._rest(session, stopping)
        except (StoreUnavailableError, PublishError) as error:
            self._problem = str(error)
            raise
        finally:
            self._metrics.relay_leads.set(0)
            self._last_step_s = self._clock.monotonic()

    async def _leads(self, session: OutboxSession, stopping: asyncio.Event) -> bool:
        """Wait to be the one at work; return false if the process stops before."""
        while not await session.lead():
            self._alive()
            if stopping.is_set():
                return False
            await self._rest(session, stopping)
        self._metrics.relay_leads.set(1)
        return True

    async def _relay(self, session: OutboxSession) -> int:
        """Publish what waits, up to one batch; return how many messages it was."""
        messages = await session.waiting(BATCH_MESSAGES)
        age_s = (self._clock.now() - messages[0].created_at).total_seconds() if messages else 0.0
        self._metrics.outbox_age.set(max(age_s, 0.0))
        await self._measure(session, len(messages))
        if messages:
            await self._publisher.publish(messages)
            await session.remove([message.id for message in messages])
            self._metrics.published.inc(len(messages))
        self._alive()
        return len(messages)

    async def _measure(self, session: OutboxSession, found: int) -> None:
        """Tell how long the outbox is; a full batch may be the beginning of a long one, which is counted seldom."""
        if found < BATCH_MESSAGES:
            self._metrics.outbox_length.set(found)
            self._last_count_s = -math.inf
        elif self._clock.monotonic() - self._last_count_s >= COUNT_EVERY_S:
            self._metrics.outbox_length.set(await session.length(COUNTED))
            self._last_count_s = self._clock.monotonic()

    async def _rest(self, session: OutboxSession, stopping: asyncio.Event) -> None:
        """Wait until somebody rings, the process stops, or it is time to look anyway."""
        waits = [
            asyncio.ensure_future(session.rung()),
            asyncio.ensure_future(stopping.wait()),
            asyncio.ensure_future(self._clock.sleep(self._poll_s)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _alive(self) -> None:
        self._last_step_s = self._clock.monotonic()
        self._problem = None

    def silence(self) -> str | None:
        """Return what is wrong if the relay has stopped making steps, or nothing."""
        silent_s = self._clock.monotonic() - self._last_step_s
        return f"no step for {silent_s:.0f} s" if silent_s > SILENCE_S else None

    def problem(self) -> str | None:
        """Return why the relay cannot publish at the moment, or nothing."""
        return self.silence() or self._problem
