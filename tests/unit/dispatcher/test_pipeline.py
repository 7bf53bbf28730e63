"""The loops together, on fakes: what happens when a part of our own is away, lost or late."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any, Self
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from coro_events.contract.envelope import Event
from services.dispatcher.bells import Bells, Progress
from services.dispatcher.deliver.lanes import Lanes
from services.dispatcher.deliver.outcome import Outcome
from services.dispatcher.match.delivery import Delivery
from services.dispatcher.metrics import Metrics
from services.dispatcher.pipeline import Pipeline
from services.dispatcher.record.report import Reporter
from services.dispatcher.record.retry import RetrySchedule
from services.dispatcher.upkeep import Upkeep
from tests.support.clock import FakeClock
from tests.support.dispatching import RawRecord, make_target, record_of
from tests.support.fakes import (
    FakeDueDeliveries,
    FakeLedger,
    FakeOffsets,
    FakePlanner,
    FakeRejects,
    FakeReplays,
    FakeSender,
    FakeSource,
    FakeStoppedDeliveries,
    FakeStore,
    FakeWebhook,
)
from tests.support.makers import make_event
from tests.support.waiting import let_others_run, wait_until

DEADLINE_S, LEASE_S = 10.0, 30.0


class WatchedLanes(Lanes):
    """Lanes that remember how much waited at the most."""

    most = 0

    def offer(self, deliveries: Iterable[Delivery], *, claimed: bool = False) -> list[Delivery]:
        refused = super().offer(deliveries, claimed=claimed)
        self.most = max(self.most, self.waiting)
        return refused


class Room:
    """A pipeline with fakes all round; its clock moves when somebody sleeps."""

    def __init__(
        self,
        *,
        each: int = 4,
        total: int = 4,
        waiting: int = 100,
        sender: FakeSender | None = None,
        planner: type[FakePlanner] = FakePlanner,
    ) -> None:
        self.clock = FakeClock(auto_advance=True)
        self.store = FakeStore(self.clock)
        self.source = FakeSource(FakeOffsets(self.store))
        self.rejects = FakeRejects()
        self.replays = FakeReplays(self.store)
        self.sender = sender or FakeSender()
        self.stopping = asyncio.Event()
        self.registry = CollectorRegistry()
        metrics = Metrics(self.registry)
        self.lanes = WatchedLanes(
            clock=self.clock, max_in_flight=total, max_in_flight_per_webhook=each, max_waiting=waiting
        )
        bells, self.progress = Bells(), Progress(self.clock)
        due = FakeDueDeliveries(self.store, lease_s=LEASE_S)
        self.planner = planner(self.store, lease_s=LEASE_S)
        self.upkeep = Upkeep(
            lanes=self.lanes,
            due=due,
            stopped=FakeStoppedDeliveries(self.store),
            replays=self.replays,
            metrics=metrics,
            bells=bells,
            progress=self.progress,
            stopping=self.stopping,
            interval_s=0.001,
        )
        self.pipeline = Pipeline(
            source=self.source,
            rejects=self.rejects,
            planner=self.planner,
            lanes=self.lanes,
            due=due,
            sender=self.sender,
            ledger=FakeLedger(self.store),
            schedule=RetrySchedule(initial_s=0.001, factor=1),
            reporter=Reporter(metrics=metrics),
            metrics=metrics,
            clock=self.clock,
            bells=bells,
            progress=self.progress,
            stopping=self.stopping,
            webhooks_topic="coro.webhooks",
            deadline_s=DEADLINE_S,
            claim_interval_s=0.001,
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def webhook(self, path: str = "/ok", **target: Any) -> UUID:
        """Add a webhook of `acme` whose receiver behaves as the path says."""
        made = make_target(url=f"http://receiver{path}", **target)
        self.store.webhooks[made.webhook_id] = FakeWebhook(made, frozenset({"workspace-created"}))
        return made.webhook_id

    def emit(self, *events: Event) -> None:
        """Write events to the log."""
        self.source.log += [record_of(event) for event in events]

    def start(self, *names: str) -> None:
        """Start the loops of these names, or all."""
        for name in names or ("intake", "deliver", "record", "claim", "hold", "replay", "review"):
            room = self.pipeline if hasattr(self.pipeline, name) else self.upkeep
            self._tasks.append(asyncio.create_task(getattr(room, name)(), name=name))

    def died(self) -> list[str]:
        """Return the loops that ended."""
        return [task.get_name() for task in self._tasks if task.done()]

    async def stop(self) -> None:
        """Stop in good order, as a signal does."""
        self.stopping.set()
        await self.pipeline.drain()
        async with asyncio.timeout(10):
            await asyncio.gather(*self._tasks)

    def states(self) -> list[str]:
        """Return the states of all deliveries, sorted."""
        return sorted(row.state.value for row in self.store.rows.values())

    def count(self, name: str, **labels: str) -> float:
        """Return a metric."""
        return self.registry.get_sample_value(name, labels) or 0.0

    async def until_states(self, *states: str) -> None:
        """Let time pass until the deliveries are in these states."""

        async def reached() -> bool:
            await self.clock.sleep(0.01)
            return self.states() == sorted(states) or bool(self.died())

        await wait_until(reached, what=f"{states[:5]}", limit_s=5)
        assert self.died() == []
        assert self.states() == sorted(states)


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with Room() as room:
        yield room


async def test_events_are_delivered_and_recorded(room: Room) -> None:
    room.webhook()
    room.emit(*(make_event() for _ in range(20)))
    room.start()
    await room.until_states(*["delivered"] * 20)
    assert len(room.sender.sent) == 20
    assert room.source.lag_told == 20
    assert room.count("coro_deliveries_planned_total") == 20
    assert room.count("coro_attempts_total", outcome="delivered") == 20


async def test_delivery_is_tried_four_times_and_its_webhook_is_disabled(room: Room) -> None:
    webhook = room.webhook("/status/500")
    room.emit(make_event())
    room.start()
    await room.until_states("failed")
    assert len(room.sender.sent) == 4
    assert len({request.headers["webhook-id"] for request in room.sender.sent}) == 1
    assert room.store.webhooks[webhook].state == "disabled"
    assert room.count("coro_webhooks_disabled_total") == 1


async def test_outcome_is_kept_and_recorded_when_the_database_was_away(room: Room) -> None:
    room.webhook()
    room.emit(make_event())
    room.start("intake", "deliver")
    await wait_until(lambda: room.sender.sent, what="an attempt")
    room.store.is_away = True
    room.start("record")
    await wait_until(lambda: len(room.clock.sleeps) > 5, what="some tries")
    assert room.states() == ["pending"]
    room.store.is_away = False
    await room.until_states("delivered")
    assert len(room.sender.sent) == 1


async def test_delivery_is_not_taken_again_when_its_outcome_waits_longer_than_its_lease(room: Room) -> None:
    room.webhook()
    room.emit(make_event())
    room.start("intake", "deliver")
    await wait_until(lambda: room.sender.sent, what="an attempt")
    await let_others_run()
    await room.clock.sleep(LEASE_S + 1)
    room.start("claim")
    await let_others_run()
    room.start("record")
    await room.until_states("delivered")
    assert len(room.sender.sent) == 1
    assert room.count("coro_deliveries_claimed_total") == 0


async def test_batch_is_planned_when_the_database_was_away(room: Room) -> None:
    room.webhook()
    await room.source.reposition()
    room.emit(make_event(), make_event())
    room.store.is_away = True
    room.start()
    await wait_until(lambda: len(room.clock.sleeps) > 5, what="some tries")
    assert room.died() == []
    room.store.is_away = False
    await room.until_states("delivered", "delivered")
    assert len(room.sender.sent) == 2


async def test_reading_goes_on_when_kafka_was_away(room: Room) -> None:
    room.webhook()
    room.source.is_away = True
    room.emit(make_event())
    room.start()
    await wait_until(lambda: room.source.failures > 1, what="some tries")
    room.source.is_away = False
    await room.until_states("delivered")


async def test_nothing_is_sent_and_reading_goes_on_elsewhere_when_the_fence_is_lost(room: Room) -> None:
    room.webhook()
    await room.source.reposition()
    events = [make_event() for _ in range(3)]
    room.emit(*events)
    # Another replica has planned the first two.
    room.store.offsets["coro.events", 0] = 2
    room.start()
    await room.until_states("delivered")
    (row,) = room.store.rows.values()
    assert row.delivery.happening.event_id == events[2].id
    assert len(room.sender.sent) == 1
    assert room.source.repositions == 2


async def test_unreadable_record_is_safe_before_the_batch_is_planned(room: Room) -> None:
    room.webhook()
    room.rejects.is_away = True
    poison = RawRecord(b"{")
    room.source.log.append(poison)
    room.emit(make_event())
    room.start()
    await wait_until(lambda: len(room.clock.sleeps) > 5, what="some tries")
    assert room.store.offsets == {("coro.events", 0): 0}
    room.rejects.is_away = False
    await room.until_states("delivered")
    assert [rejection.record for rejection in room.rejects.kept] == [poison]
    assert room.count("coro_intake_rejected_total") == 1


async def test_delivery_that_cannot_be_made_is_an_outcome_like_others(room: Room) -> None:
    room.webhook(version=77)
    room.emit(make_event())
    room.start()
    await room.until_states("failed")
    assert {effect.attempt.answer.outcome for effect in room.store.attempts} == {Outcome.UNSENDABLE}


async def test_delivery_is_given_back_and_not_sent_when_it_waited_too_long(room: Room) -> None:
    room.webhook()
    room.emit(make_event(), make_event())
    room.start("intake")
    await wait_until(lambda: room.lanes.waiting == 2, what="two deliveries to wait")
    await room.clock.sleep(LEASE_S - DEADLINE_S + 0.1)
    room.start("deliver", "record")
    await wait_until(
        lambda: all(row.claim is None for row in room.store.rows.values()), what="the claims to be given back"
    )
    assert room.sender.sent == []
    room.start("claim")
    await room.until_states("delivered", "delivered")


async def test_lost_claims_are_counted_and_written_nowhere(room: Room) -> None:
    room.webhook()
    room.emit(make_event())
    room.start("intake", "deliver")
    await wait_until(lambda: room.sender.sent, what="an attempt")
    (row,) = room.store.rows.values()
    row.claim = UUID(int=1)
    room.start("record")
    await wait_until(lambda: room.count("coro_claims_lost_total") == 1, what="the loss to be counted")
    assert room.states() == ["pending"]
    assert room.store.attempts == []


async def test_drain_gives_back_what_was_not_begun() -> None:
    room = Room(each=1, total=1)
    room.webhook()
    room.emit(*(make_event() for _ in range(5)))
    room.start("intake")
    await wait_until(lambda: room.lanes.waiting == 5, what="five deliveries to wait")
    await room.stop()
    assert room.states() == ["pending"] * 5
    assert all(row.claim is None for row in room.store.rows.values())
    assert room.sender.sent == []
