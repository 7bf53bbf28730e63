"""The loops and the lanes: how much is taken in and claimed, in whose turn it goes out, and what never does."""

import asyncio
import uuid
from uuid import UUID

import pytest

from coro_events.contract.cloudevents import STRUCTURED_HEADERS
from coro_events.contract.topics import WEBHOOKS
from coro_events.contract.webhook_events import (
    SOURCE_API,
    TestRequested,
    WebhookChanged,
    WebhookEvent,
    WebhookEventData,
    WebhookEventType,
    encode_webhook_event,
)
from coro_events.errors import FenceLostError
from services.dispatcher.deliver.outcome import Answer, Outcome
from services.dispatcher.deliver.request import Request
from services.dispatcher.intake.batch import Decoded
from services.dispatcher.match.delivery import Delivery
from services.dispatcher.match.plan import Plan
from services.dispatcher.match.plan import Room as Asked
from services.dispatcher.pipeline import HELD_BACK_S
from services.dispatcher.record.retry import RetrySchedule
from tests.support.clock import START
from tests.support.dispatching import RawRecord, at_most, decoded_of, make_target
from tests.support.fakes import FakePlanner, FakeSender
from tests.support.makers import make_event
from tests.support.waiting import let_others_run, wait_until
from tests.unit.dispatcher.test_lanes import some, teach
from tests.unit.dispatcher.test_pipeline import Room


class HoldingSender(FakeSender):
    """Receivers at `/hold` do not answer before they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = asyncio.Event()

    async def send(self, request: Request) -> Answer:
        if request.url.endswith("/hold"):
            self.sent.append(request)
            await self.let_go.wait()
            return Answer(Outcome.DELIVERED, status=200)
        return await super().send(request)


class OvertakenPlanner(FakePlanner):
    """Loses the fence when there was room for the batch already."""

    async def plan(self, decoded: Decoded, room: Asked) -> Plan:
        assert decoded.events
        await let_others_run()
        assert room({uuid.uuid4(): 50})
        raise FenceLostError


async def leave(room: Room, count: int) -> list[Delivery]:
    """Let so many events be due in the database for each webhook, as after an outage."""
    plan = await room.planner.plan(decoded_of(*(make_event() for _ in range(count))), at_most(0))
    return plan.unclaimed


def sent(room: Room) -> list[UUID]:
    """Return the hook ids of all attempts, in order."""
    return [UUID(request.headers["webhook-id"]) for request in room.sender.sent]


async def test_overflow_is_left_to_the_database_and_delivered_from_there() -> None:
    async with Room(each=1, total=1) as room:
        room.webhook()
        room.emit(*(make_event() for _ in range(120)))
        room.start()
        await room.until_states(*["delivered"] * 120)
        assert room.count("coro_deliveries_overflowed_total") > 0
        assert len(room.sender.sent) == 120


async def test_memory_is_bounded_when_events_flood_to_many_webhooks() -> None:
    async with Room(each=2, total=8, waiting=100) as room:
        for _ in range(40):
            room.webhook()
        room.emit(*(make_event() for _ in range(40)))
        room.start()
        await room.until_states(*["delivered"] * 1_600)
        assert 0 < room.lanes.most <= 100


async def test_memory_is_bounded_when_much_is_due_to_many_webhooks() -> None:
    async with Room(each=2, total=8, waiting=100) as room:
        for _ in range(40):
            room.webhook()
        await leave(room, 20)
        room.emit(*(make_event() for _ in range(20)))
        room.start()
        await room.until_states(*["delivered"] * 1_600)
        assert 0 < room.lanes.most <= 100


async def test_retries_have_their_turn_when_events_flood() -> None:
    async with Room() as room:
        room.webhook()
        due = await leave(room, 5)
        room.emit(*(make_event() for _ in range(300)))
        room.start("intake")
        await wait_until(lambda: room.source.lag_told == 300, what="all events to be taken in")
        room.start("claim")
        await wait_until(lambda: room.lanes.waiting_claimed >= 5, what="what is due to be claimed")
        assert room.lanes.waiting > 2 * 5
        room.start("deliver", "record")
        await wait_until(lambda: len(room.sender.sent) >= 12, what="some attempts")
        assert {one.hook_id for one in due} <= set(sent(room)[:12]), "they take turns with the first attempts"


async def test_first_attempts_have_their_turn_when_much_is_due() -> None:
    async with Room() as room:
        room.webhook()
        due = {one.hook_id for one in await leave(room, 300)}
        room.start("claim")
        await wait_until(lambda: room.lanes.waiting_claimed >= 60, what="the lane to be full of what is due")
        room.emit(*(make_event() for _ in range(5)))
        room.start("intake")
        await wait_until(lambda: room.source.lag_told == 5, what="the events to be taken in")
        room.start("deliver", "record")
        await wait_until(lambda: len(room.sender.sent) >= 12, what="some attempts")
        assert len(set(sent(room)[:12]) - due) == 5, "they take turns with what is due"


async def test_other_webhook_is_claimed_for_when_one_has_much_due() -> None:
    async with Room() as room:
        room.webhook()
        await leave(room, 300)
        room.start("claim")
        await wait_until(lambda: room.lanes.waiting_claimed >= 60, what="the lane to be full of what is due")
        await let_others_run()
        other = room.webhook()
        await leave(room, 1)
        await wait_until(
            lambda: any(row.claim for row in room.store.rows.values() if row.delivery.target.webhook_id == other),
            what="the other webhook's delivery to be claimed",
            limit_s=5,
        )


async def test_intake_is_held_back_when_fast_receivers_have_work_waiting() -> None:
    async with Room(each=16, total=16) as room:
        target = make_target()
        await teach(room.lanes, room.clock, target, duration_s=0.001)
        room.lanes.offer(some(target, 50))
        room.emit(make_event())
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        room.start("intake")
        await wait_until(lambda: room.source.batches, what="the batch to be read all the same")
        assert loop.time() - began_at >= HELD_BACK_S
        room.lanes.withdraw([target.webhook_id])


async def test_batches_shrink_to_what_fits_when_events_go_to_many_webhooks() -> None:
    async with Room(each=16, total=16, waiting=1_000) as room:
        for _ in range(10):
            room.webhook()
        room.emit(*(make_event() for _ in range(1_500)))
        room.start("intake")
        await wait_until(lambda: room.source.lag_told == 1_500, what="all events to be taken in")
        assert max(room.source.batches[1:]) <= 1_000 / 2, "there is less room after the first"
        assert room.source.batches[-2] == 20, "the least, when there is none"


async def test_batches_follow_the_number_of_deliveries_an_event() -> None:
    async with Room(each=16, total=16, waiting=1_000) as room:
        for _ in range(10):
            room.webhook()
        room.start("intake", "deliver", "record")
        for taken_in in range(20, 220, 20):
            room.emit(*(make_event() for _ in range(20)))
            await room.until_states(*["delivered"] * taken_in * 10)
        room.source.batches.clear()
        room.emit(*(make_event() for _ in range(200)))
        await wait_until(lambda: room.source.lag_told == 400, what="all events to be taken in")
        assert max(room.source.batches) <= 75, "what fits, divided by ten webhooks"


async def test_claims_find_room_again_when_a_batch_was_overtaken() -> None:
    async with Room(planner=OvertakenPlanner) as room:
        free = room.lanes.free_claimed
        room.emit(make_event())
        room.start("intake")
        await wait_until(lambda: room.source.repositions > 1, what="the fence to be lost")
        assert room.lanes.free_claimed == free, "nothing is promised to what is not planned"


async def test_healthy_receivers_are_served_when_another_holds_every_permit() -> None:
    sender = HoldingSender()
    async with Room(each=4, total=4, sender=sender) as room:
        hanging = room.webhook("/hold")
        room.emit(*(make_event() for _ in range(4)))
        room.start()
        await wait_until(lambda: len(sender.sent) == 4, what="every permit to be taken")
        room.store.webhooks[hanging].state = "disabled"
        room.webhook()
        room.emit(make_event())
        await wait_until(lambda: room.lanes.waiting == 1, what="the healthy receiver's delivery to wait")
        await room.clock.sleep(1.5)
        await wait_until(lambda: len(sender.sent) == 5, what="the healthy receiver's delivery to be sent", limit_s=10)
        sender.let_go.set()


async def test_attempt_is_recorded_when_its_delivery_came_due_again_meanwhile() -> None:
    sender = HoldingSender()
    async with Room(sender=sender) as room:
        room.webhook("/hold")
        room.emit(make_event())
        room.start("intake", "deliver", "record")
        await wait_until(lambda: sender.sent, what="an attempt")
        # As when the process was stopped meanwhile.
        await room.clock.sleep(60)
        room.start("claim")
        await wait_until(
            lambda: room.count("coro_deliveries_claimed_total") == 1, what="the delivery to be claimed again"
        )
        sender.let_go.set()
        await room.until_states("delivered")
        assert len(sender.sent) == 1, "it was not sent a second time"
        assert room.count("coro_claims_lost_total") == 0


async def test_nothing_more_is_sent_when_a_final_failure_has_disabled_the_webhook() -> None:
    async with Room(each=1, total=1) as room:
        room.webhook("/status/410")
        room.emit(*(make_event() for _ in range(5)))
        room.start("intake")
        await wait_until(lambda: room.lanes.waiting == 5, what="five deliveries to wait")
        room.start("deliver", "record", "claim", "hold")
        # The second was under way when the first was recorded.
        await room.until_states("failed", "failed", *["held"] * 3)
        assert len(room.sender.sent) == 2


def told(kind: WebhookEventType, data: WebhookEventData) -> RawRecord:
    """Return the record that tells what happened to a webhook."""
    event = WebhookEvent(uuid.uuid4(), SOURCE_API, kind, "acme", START, data)
    return RawRecord(encode_webhook_event(event), list(STRUCTURED_HEADERS), topic=WEBHOOKS)


@pytest.mark.parametrize(
    ("kind", "state", "becomes", "left"),
    [
        (WebhookEventType.DISABLED, "disabled", "held", 1),
        (WebhookEventType.DELETED, None, "discarded", 0),
        (WebhookEventType.EXPIRED, "expired", "discarded", 0),
    ],
)
async def test_what_waits_is_taken_out_when_its_webhook_is_stopped_elsewhere(
    kind: WebhookEventType, state: str | None, becomes: str, left: int
) -> None:
    async with Room() as room:
        webhook_id = room.webhook()
        room.emit(*(make_event() for _ in range(3)))
        asked = TestRequested(webhook_id=str(webhook_id), test_id=str(uuid.uuid4()))
        room.source.log.append(told(WebhookEventType.TEST_REQUESTED, asked))
        room.start("intake")
        await wait_until(lambda: room.lanes.waiting == 4, what="three deliveries and a test to wait")
        if state is None:
            del room.store.webhooks[webhook_id]
        else:
            room.store.webhooks[webhook_id].state = state
        room.source.log.append(told(kind, WebhookChanged(webhook_id=str(webhook_id))))
        await wait_until(lambda: room.lanes.waiting == left, what="what waits to be taken out")
        room.start("hold", "deliver", "record")
        await room.until_states(*[becomes] * (4 - left), *["delivered"] * left)
        assert len(room.sender.sent) == left, "a disabled webhook still gets what a person asked for"


async def test_retries_are_spread_by_chance() -> None:
    async with Room() as room:
        room.webhook("/status/500")
        room.clock.chances = [0.0, 0.25, 1.0]
        room.emit(*(make_event() for _ in range(3)))
        room.start("intake", "deliver", "record")
        await wait_until(lambda: len(room.store.attempts) == 3, what="three attempts to be recorded")
        schedule = RetrySchedule(initial_s=0.001, factor=1)
        waits_s = sorted(effect.again_in_s or 0.0 for effect in room.store.attempts)
        assert waits_s == [schedule.next_wait_s(1, chance=chance) for chance in (0.0, 0.25, 1.0)]
