"""Fakes of the dispatcher's ports; tests/contract/dispatcher holds them to the promises of the real ones."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from coro_events.errors import BrokerUnavailableError, FenceLostError, PublishError, StoreUnavailableError
from coro_events.rules.deliveries import DeliveryState
from services.dispatcher.deliver.classification import of_status
from services.dispatcher.deliver.outcome import Answer, Outcome
from services.dispatcher.deliver.ports import Backlog
from services.dispatcher.deliver.request import Request
from services.dispatcher.intake.batch import Batch, Decoded, Record, Rejection, Span
from services.dispatcher.intake.ports import Offsets
from services.dispatcher.match.delivery import Delivery, Target
from services.dispatcher.match.plan import Match, Plan, Room, plan_deliveries, plan_tests
from services.dispatcher.record.effects import Effect
from services.dispatcher.replay.ports import Step
from tests.support.clock import FakeClock
from tests.support.waiting import let_others_run


@dataclass
class FakeWebhook:
    """A webhook as matching sees it."""

    target: Target
    triggers: frozenset[str]
    state: str = "enabled"


@dataclass
class FakeRow:
    """A delivery as the database keeps it; `due_at` is on the monotonic clock."""

    delivery: Delivery
    due_at: float
    claim: UUID | None
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0


@dataclass
class FakeStore:
    """What PostgreSQL keeps, shared by the fakes below.

    Attributes:
        is_away: Whether every use fails, as when the database is down.
    """

    clock: FakeClock
    is_away: bool = False
    webhooks: dict[UUID, FakeWebhook] = field(default_factory=dict)
    rows: dict[UUID, FakeRow] = field(default_factory=dict)
    events: set[UUID] = field(default_factory=set)
    offsets: dict[tuple[str, int], int] = field(default_factory=dict)
    attempts: list[Effect] = field(default_factory=list)

    def reach(self) -> None:
        """Fail when it is away."""
        if self.is_away:
            raise StoreUnavailableError("away")


class FakeOffsets:
    """Satisfies `ConsumedOffsets` in memory."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store

    async def load(self, starts: Offsets) -> Offsets:
        self._store.reach()
        return {place: self._store.offsets.setdefault(place, start) for place, start in starts.items()}

    async def rewind(self, starts: Offsets) -> None:
        self._store.reach()
        self._store.offsets.update({place: start for place, start in starts.items() if place in self._store.offsets})


class FakePlanner:
    """Satisfies `Planner` in memory; knows each workspace by its id alone, without a tree."""

    def __init__(self, store: FakeStore, *, lease_s: float = 30.0) -> None:
        self._store = store
        self._lease_s = lease_s

    async def plan(self, decoded: Decoded, room: Room) -> Plan:
        self._store.reach()
        self._advance(decoded.spans)
        claim, now = uuid.uuid4(), self._store.clock.monotonic()
        today, leased_until = self._store.clock.now().date(), now + self._lease_s
        new = [event for event in decoded.events.values() if event.id not in self._store.events]
        matches = [
            Match(webhook.target, found)
            for webhook in self._store.webhooks.values()
            if webhook.state == "enabled"
            and (
                found := [
                    event.id
                    for event in new
                    if event.workspace_id == webhook.target.workspace_id and event.trigger.value in webhook.triggers
                ]
            )
        ]
        plan = plan_deliveries(matches, decoded.events, room=room, claim=claim, leased_until=leased_until, today=today)
        plan.claimed += plan_tests(
            decoded.tests,
            new={test.test_id for test in decoded.tests} - self._store.events,
            targets={key: webhook.target for key, webhook in self._store.webhooks.items()},
            claim=claim,
            leased_until=leased_until,
            today=today,
        )
        self._store.events |= {event.id for event in new} | {test.test_id for test in decoded.tests}
        self._store.rows |= {one.hook_id: FakeRow(one, leased_until, claim) for one in plan.claimed}
        self._store.rows |= {one.hook_id: FakeRow(one, now, None) for one in plan.unclaimed}
        return plan

    def _advance(self, spans: Sequence[Span]) -> None:
        offsets = self._store.offsets
        if any(offsets.get((span.topic, span.partition)) != span.first_offset for span in spans):
            raise FenceLostError
        offsets.update({(span.topic, span.partition): span.next_offset for span in spans})


class FakeDueDeliveries:
    """Satisfies `DueDeliveries` in memory."""

    def __init__(self, store: FakeStore, *, lease_s: float = 30.0) -> None:
        self._store = store
        self._lease_s = lease_s

    def _pending(self, webhook_id: UUID) -> list[FakeRow]:
        rows = [
            row
            for row in self._store.rows.values()
            if row.state is DeliveryState.PENDING and row.delivery.target.webhook_id == webhook_id
        ]
        return sorted(rows, key=lambda row: row.due_at)

    def _wanted(self, webhook_id: UUID, state: str) -> list[FakeRow]:
        """Return what a webhook in this state gets; a disabled one only what a person asked for."""
        if state == "disabled":
            return [row for row in self._pending(webhook_id) if row.delivery.manual]
        return self._pending(webhook_id) if state == "enabled" else []

    async def claim(self, room: Callable[[UUID], int], limit: int) -> Sequence[Delivery]:
        self._store.reach()
        now = self._store.clock.monotonic()
        due = {
            key: [
                row
                for row in self._pending(key)
                if row.due_at <= now and (webhook.state == "enabled" or row.delivery.manual)
            ][: max(0, room(key))]
            for key, webhook in self._store.webhooks.items()
            if webhook.state in {"enabled", "disabled"}
        }
        busy = {key: rows for key, rows in due.items() if rows}
        claim, claimed = uuid.uuid4(), list[Delivery]()
        for rows in busy.values():
            for row in rows[: min(max(1, limit // len(busy)), limit - len(claimed))]:
                row.claim, row.due_at = claim, now + self._lease_s
                target = self._store.webhooks[row.delivery.target.webhook_id].target
                claimed.append(
                    replace(row.delivery, claim=claim, leased_until=row.due_at, attempts=row.attempts, target=target)
                )
        return claimed

    async def release(self, deliveries: Sequence[Delivery]) -> None:
        self._store.reach()
        for delivery in deliveries:
            row = self._store.rows[delivery.hook_id]
            if row.claim == delivery.claim and row.state is DeliveryState.PENDING:
                row.claim, row.due_at = None, self._store.clock.monotonic()

    async def backlog(self) -> Backlog:
        self._store.reach()
        now = self._store.clock.monotonic()
        due = [row for row in self._store.rows.values() if row.state is DeliveryState.PENDING and row.due_at <= now]
        return Backlog(due=len(due), oldest_s=max((now - row.due_at for row in due), default=0.0))


class FakeStoppedDeliveries:
    """Satisfies `StoppedDeliveries` in memory."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store

    async def hold_back(self, limit: int) -> int:
        self._store.reach()
        held = 0
        for row in self._store.rows.values():
            webhook = self._store.webhooks.get(row.delivery.target.webhook_id)
            stopped = webhook is None or webhook.state not in {"enabled", "draft"}
            free = row.claim is None or row.due_at <= self._store.clock.monotonic()
            if row.state is not DeliveryState.PENDING or not stopped or not free or held >= limit:
                continue
            if row.delivery.manual and webhook is not None and webhook.state == "disabled":
                continue
            gone = webhook is None or webhook.state == "expired"
            row.state, row.claim = DeliveryState.DISCARDED if gone else DeliveryState.HELD, None
            held += 1
        return held


class FakeLedger:
    """Satisfies `Ledger` in memory."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store

    async def record(self, effects: Sequence[Effect]) -> Sequence[Effect]:
        self._store.reach()
        written = [effect for effect in effects if self._write(effect)]
        self._store.attempts += written
        return written

    def _write(self, effect: Effect) -> bool:
        delivery = effect.attempt.delivery
        row = self._store.rows[delivery.hook_id]
        if row.claim != delivery.claim or row.state is not DeliveryState.PENDING:
            return False
        row.state, row.attempts, row.claim = effect.state, effect.attempt.number, None
        if effect.again_in_s is not None:
            row.due_at = self._store.clock.monotonic() + effect.again_in_s
        webhook = self._store.webhooks.get(delivery.target.webhook_id)
        if effect.disable_reason is not None and webhook is not None and webhook.state == "enabled":
            webhook.state = "disabled"
        return True


class FakeReplays:
    """Satisfies `Replays` in memory.

    Attributes:
        steps: What the next steps do; when it is empty, nothing is due.
    """

    def __init__(self, store: FakeStore) -> None:
        self._store = store
        self.steps: list[Step] = []

    async def step(self) -> Step | None:
        self._store.reach()
        return self.steps.pop(0) if self.steps else None


class FakeSource:
    """Satisfies `EventSource` in memory, with one partition.

    Attributes:
        log: The records of the partition, whether read or not.
        is_away: Whether every reading fails, as when Kafka is down.
        failures: How many readings failed.
        repositions: How often it was told to go on from where the offsets say.
        lag_told: Where lag tools were told that we are.
        batches: How many records each batch had.
    """

    def __init__(self, offsets: FakeOffsets, *, topic: str = "coro.events", batch_records: int = 500) -> None:
        self.log: list[Record] = []
        self.is_away = False
        self.lag_told = 0
        self.batches: list[int] = []
        self.failures = 0
        self.repositions = 0
        self._offsets = offsets
        self._topic = topic
        self._batch_records = batch_records
        self._next: int | None = None

    async def fetch(self, limit: int | None = None) -> Batch:
        if self.is_away:
            self.failures += 1
            await let_others_run()
            raise BrokerUnavailableError("away")
        if self._next is None:
            await self.reposition()
        first = self._next or 0
        most = self._batch_records if limit is None else min(limit, self._batch_records)
        records = self.log[first : first + most]
        if not records:
            await let_others_run()
            return Batch(records=[], spans=[])
        self._next = first + len(records)
        self.batches.append(len(records))
        spans = [Span(self._topic, 0, first, self._next)]
        return Batch(records=records, spans=spans, is_full=len(records) >= most)

    async def reposition(self) -> None:
        self.repositions += 1
        self._next = (await self._offsets.load({(self._topic, 0): 0}))[self._topic, 0]

    def planned(self, spans: Sequence[Span]) -> None:
        for span in spans:
            self.lag_told = span.next_offset


class FakeRejects:
    """Satisfies `Rejects` in memory.

    Attributes:
        kept: What was rejected.
        is_away: Whether nothing can be kept, as when Kafka is down.
    """

    def __init__(self) -> None:
        self.kept: list[Rejection] = []
        self.is_away = False

    async def reject(self, rejections: Iterable[Rejection]) -> None:
        if self.is_away:
            raise PublishError("away")
        self.kept += rejections


FAILURES = {
    "hang": Outcome.TIMED_OUT,
    "drip": Outcome.TIMED_OUT,
    "drip-head": Outcome.TIMED_OUT,
    "reset": Outcome.CONNECTION_BROKEN,
    "garbage": Outcome.MALFORMED_ANSWER,
}


class FakeSender:
    """Satisfies `Sender` without a network: the URL's path says what the receiver does, as in `Receiver`.

    Attributes:
        sent: Every request.
    """

    def __init__(self) -> None:
        self.sent: list[Request] = []

    async def send(self, request: Request) -> Answer:
        self.sent.append(request)
        behaviour, *rest = request.url.split("://", 1)[1].split("/")[1:]
        if behaviour in FAILURES:
            return Answer(FAILURES[behaviour])
        if behaviour == "status":
            status = int(rest[0])
            wanted = [line.partition(":")[2] for line in rest[1:] if line.lower().startswith("retry-after:")]
            return Answer(of_status(status), status, body="told", retry_after_s=float(wanted[0]) if wanted else None)
        return Answer(Outcome.DELIVERED, status=200)
