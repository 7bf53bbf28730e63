"""The record of what came of attempts: written in batches, several at once, until the last one is over and written."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from uuid import UUID

from coro_events.errors import StoreUnavailableError
from coro_events.runtime.clock import Clock
from coro_events.runtime.retrying import until_it_works
from services.dispatcher.bells import Progress
from services.dispatcher.deliver.lanes import Lanes
from services.dispatcher.match.delivery import Delivery
from services.dispatcher.record.effects import Effect
from services.dispatcher.record.ports import Ledger
from services.dispatcher.record.report import Reporter

# Outcomes of one transaction, and how long the first of them may wait for the others.
BATCH = 500
LINGER_S = 0.002

# Batches that may be written at once, and from how many outcomes on a further one is worth its round trip. Only so
# much may wait for its record: with one writer alone senders would stand still while it writes.
WRITERS = 2
WORTH_A_WRITER = 64


class Recorder:
    """Keeps outcomes until they are facts."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        lanes: Lanes,
        reporter: Reporter,
        clock: Clock,
        progress: Progress,
        stopping: asyncio.Event,
        release: Callable[[Sequence[Delivery]], Awaitable[None]],
        stop_sending: Callable[[Collection[UUID]], Awaitable[None]],
    ) -> None:
        """Make it.

        Args:
            ledger: Where outcomes become facts.
            lanes: Told what is recorded.
            reporter: Told the same, for lines and metrics.
            clock: Time.
            progress: Told of each round.
            stopping: Set when the process is to end; then nothing waits for others.
            release: Gives deliveries back that were claimed and not sent.
            stop_sending: Called with the webhooks that a final failure has disabled.
        """
        self._ledger = ledger
        self._lanes = lanes
        self._reporter = reporter
        self._clock = clock
        self._progress = progress
        self._stopping = stopping
        self._release = release
        self._stop_sending = stop_sending
        self._outcomes: list[Effect] = []
        self._writing: list[list[Effect]] = []
        self._stale: list[Delivery] = []
        # Set when an outcome has come or a batch is written.
        self._came = asyncio.Event()
        # Whether more may come.
        self.more_may_come = True

    def add(self, effect: Effect) -> None:
        """Take the outcome of an attempt."""
        self._outcomes.append(effect)
        self._came.set()

    def give_back(self, delivery: Delivery) -> None:
        """Take a delivery that waited too long to be sent under its lease."""
        self._stale.append(delivery)
        self._came.set()

    def look_up(self) -> None:
        """Notice that the process stops, or that nothing comes any more."""
        self._came.set()

    def is_late(self) -> bool:
        """Tell whether an outcome waits to be written beyond its lease, as when the database comes back.

        To claim now would take its delivery again and send twice what only waits for the record.
        """
        now = self._clock.monotonic()
        waiting = (effect for batch in (*self._writing, self._outcomes) for effect in batch)
        return any(effect.attempt.delivery.leased_until <= now for effect in waiting)

    async def run(self) -> None:
        """Write outcomes in batches, until the last attempt is over and written."""
        async with asyncio.TaskGroup() as group:
            while await self._until_work():
                if len(self._outcomes) < BATCH and not self._stopping.is_set():
                    await self._clock.sleep(LINGER_S)
                await self._until_writer()
                batch, self._outcomes = self._outcomes[:BATCH], self._outcomes[BATCH:]
                stale, self._stale = self._stale, []
                self._writing.append(batch)
                group.create_task(self._write(batch, stale), name="record.write")

    async def _until_writer(self) -> None:
        """Wait until a batch may be written: at once while none is, else when it is long enough."""
        while self._writing and (len(self._writing) >= WRITERS or len(self._outcomes) < WORTH_A_WRITER):
            self._came.clear()
            await self._came.wait()

    async def _until_work(self) -> bool:
        """Wait until there is something to write; tell whether there is, or nothing can come any more."""
        while not self._outcomes and not self._stale:
            if self._stopping.is_set() and not self.more_may_come:
                return False
            self._came.clear()
            await self._came.wait()
        return True

    async def _write(self, batch: list[Effect], stale: list[Delivery]) -> None:
        try:
            if stale:
                await self._release(stale)
            if batch:
                await self._record(batch)
        finally:
            self._writing.remove(batch)
            self._came.set()

    async def _record(self, batch: Sequence[Effect]) -> None:
        began = self._clock.monotonic()
        written = await until_it_works(
            self._progress.each_try("record", lambda: self._ledger.record(batch)),
            name="record.write",
            errors=(StoreUnavailableError,),
            clock=self._clock,
        )
        self._lanes.recorded(len(batch))
        self._reporter.recorded(len(batch), written, self._clock.monotonic() - began)
        self._reporter.attempted(batch, self._clock.now())
        failed_for_good = [effect.attempt for effect in written if effect.disable_reason is not None]
        await self._stop_sending({attempt.delivery.target.webhook_id for attempt in failed_for_good})
