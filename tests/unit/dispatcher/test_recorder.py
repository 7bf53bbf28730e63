"""The recorder: outcomes become facts in batches, and a slow batch does not keep the next one waiting."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from prometheus_client import CollectorRegistry

from services.dispatcher.bells import Progress
from services.dispatcher.deliver.lanes import Lanes
from services.dispatcher.match.delivery import Delivery
from services.dispatcher.metrics import Metrics
from services.dispatcher.record.effects import Effect
from services.dispatcher.record.recorder import WORTH_A_WRITER, WRITERS, Recorder
from services.dispatcher.record.report import Reporter
from tests.support.clock import FakeClock
from tests.support.dispatching import make_delivery, make_effect
from tests.support.waiting import let_others_run, wait_until


class GatedLedger:
    """Writes a batch when its gate is opened."""

    def __init__(self) -> None:
        self.batches: list[Sequence[Effect]] = []
        self.gates: list[asyncio.Event] = []

    async def record(self, effects: Sequence[Effect]) -> Sequence[Effect]:
        self.batches.append(effects)
        self.gates.append(asyncio.Event())
        await self.gates[-1].wait()
        return effects

    def sizes(self) -> list[int]:
        return [len(batch) for batch in self.batches]

    async def until(self, *sizes: int) -> None:
        """Wait until batches of these sizes are written or being written."""
        await wait_until(lambda: self.sizes() == list(sizes), what=f"batches of {sizes}", limit_s=5)


class Room:
    def __init__(self) -> None:
        self.ledger, self.released, self.stopped = GatedLedger(), list[Delivery](), set[UUID]()
        self.stopping = asyncio.Event()
        clock = FakeClock(auto_advance=True)
        self.lanes = Lanes(clock=clock, max_in_flight=1_000, max_in_flight_per_webhook=10, max_waiting=1_000)
        self.recorder = Recorder(
            ledger=self.ledger,
            lanes=self.lanes,
            reporter=Reporter(metrics=Metrics(CollectorRegistry())),
            clock=clock,
            progress=Progress(clock),
            stopping=self.stopping,
            release=self._release,
            stop_sending=self._stop,
        )

    async def _release(self, deliveries: Sequence[Delivery]) -> None:
        self.released += deliveries

    async def _stop(self, webhook_ids: Collection[UUID]) -> None:
        self.stopped |= set(webhook_ids)

    async def add(self, count: int) -> None:
        """Let so many outcomes come at once."""
        for _ in range(count):
            self.recorder.add(make_effect(make_delivery(), status=200))
        await let_others_run()

    def end(self) -> None:
        self.recorder.more_may_come = False
        self.stopping.set()
        self.recorder.look_up()


@asynccontextmanager
async def running() -> AsyncIterator[Room]:
    """Run a recorder; its end waits until all is written."""
    room = Room()
    task = asyncio.create_task(room.recorder.run())
    yield room
    room.end()

    def ended() -> bool:
        for gate in room.ledger.gates:
            gate.set()
        return task.done()

    await wait_until(ended, what="the recorder to end", limit_s=5)
    task.result()


async def test_next_batch_is_written_when_the_one_before_takes_its_time() -> None:
    async with running() as room:
        await room.add(1)
        await room.ledger.until(1)
        await room.add(WORTH_A_WRITER)
        await room.ledger.until(1, WORTH_A_WRITER)
        room.ledger.gates[1].set()
        await let_others_run()
        assert room.lanes.unrecorded == -WORTH_A_WRITER


async def test_few_outcomes_wait_for_the_batch_that_is_being_written() -> None:
    async with running() as room:
        await room.add(1)
        await room.ledger.until(1)
        await room.add(WORTH_A_WRITER - 1)
        for _ in range(10):
            await let_others_run()
        assert room.ledger.sizes() == [1]
        room.ledger.gates[0].set()
        await room.ledger.until(1, WORTH_A_WRITER - 1)


async def test_no_more_batches_than_writers_are_written_at_once() -> None:
    async with running() as room:
        for number in range(WRITERS):
            await room.add(WORTH_A_WRITER)
            await room.ledger.until(*[WORTH_A_WRITER] * (number + 1))
        await room.add(WORTH_A_WRITER)
        for _ in range(10):
            await let_others_run()
        assert len(room.ledger.batches) == WRITERS
    assert sum(room.ledger.sizes()) == (WRITERS + 1) * WORTH_A_WRITER


async def test_all_is_written_when_the_process_stops_in_the_middle() -> None:
    async with running() as room:
        await room.add(3)
        await room.add(5)
        stale = make_delivery()
        room.recorder.give_back(stale)
    assert sum(room.ledger.sizes()) == 8
    assert room.released == [stale]


async def test_outcome_is_late_from_the_end_of_its_lease_until_it_is_written() -> None:
    async with running() as room:
        room.recorder.add(make_effect(make_delivery(leased_until=-1.0), status=200))
        assert room.recorder.is_late()
        await room.ledger.until(1)
        assert room.recorder.is_late()
        room.ledger.gates[0].set()
        await let_others_run()
        assert not room.recorder.is_late()
