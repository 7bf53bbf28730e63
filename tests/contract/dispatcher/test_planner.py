"""What every adapter of `Planner` promises, together with its fence."""

import uuid
from datetime import date

import pytest

from coro_events.contract.bodies import TEST_DATA
from coro_events.errors import FenceLostError
from coro_events.rules.deliveries import DeliveryKind
from services.dispatcher.intake.batch import Span, TestRequest
from tests.contract.dispatcher.worlds import LEASE_S, World
from tests.support.clock import START, FakeClock
from tests.support.dispatching import at_most, decoded_of
from tests.support.makers import make_event

PLACE = ("coro.events", 0)


def roomy(_: uuid.UUID) -> int:
    return 1_000


async def test_every_wanting_webhook_gets_every_event_once(world: World, clock: FakeClock) -> None:
    webhooks = {await world.add_webhook() for _ in range(3)}
    events = [make_event() for _ in range(2)]
    plan = await world.planner.plan(decoded_of(*events), at_most(1_000))
    assert plan.unclaimed == []
    pairs = {(one.target.webhook_id, one.happening.event_id) for one in plan.claimed}
    assert pairs == {(webhook, event.id) for webhook in webhooks for event in events}
    assert len(plan.claimed) == 6
    delivery = plan.claimed[0]
    assert (delivery.day, delivery.attempts, delivery.kind) == (date(2026, 3, 2), 0, DeliveryKind.EVENT)
    assert delivery.leased_until == clock.monotonic() + LEASE_S
    rows = await world.rows()
    assert set(rows) == {one.hook_id for one in plan.claimed}
    assert all(row.is_claimed and row.state == "pending" and row.due_in_s > LEASE_S / 2 for row in rows.values())


async def test_events_of_a_webhook_are_planned_in_the_order_of_the_batch(world: World) -> None:
    await world.add_webhook()
    events = [make_event() for _ in range(20)]
    plan = await world.planner.plan(decoded_of(*events), at_most(1_000))
    assert [one.happening.event_id for one in plan.claimed] == [event.id for event in events]


async def test_deliveries_without_room_are_left_to_everybody(world: World) -> None:
    await world.add_webhook()
    plan = await world.planner.plan(decoded_of(*(make_event() for _ in range(5))), at_most(2))
    assert (len(plan.claimed), len(plan.unclaimed)) == (2, 3)
    rows = await world.rows()
    for delivery in plan.unclaimed:
        row = rows[delivery.hook_id]
        assert not row.is_claimed
        assert row.due_in_s <= 0
    assert len(await world.due.claim(roomy, 10)) == 3


async def test_nothing_is_planned_twice_when_an_event_is_repeated_in_another_batch(world: World) -> None:
    await world.add_webhook()
    event, other = make_event(source_id="1"), make_event()
    await world.planner.plan(decoded_of(event), at_most(1_000))
    plan = await world.planner.plan(decoded_of(make_event(source_id="1"), other), at_most(1_000))
    assert [one.happening.event_id for one in plan.claimed] == [other.id]
    assert len(await world.rows()) == 2


@pytest.mark.parametrize("state", ["disabled", "expired"])
async def test_webhook_gets_nothing_when_it_is_not_enabled(world: World, state: str) -> None:
    await world.add_webhook(state=state)
    assert (await world.planner.plan(decoded_of(make_event()), at_most(1_000))).claimed == []


async def test_offsets_advance_with_the_plan(world: World) -> None:
    await world.offsets.load({PLACE: 5, ("coro.events", 1): 0})
    await world.planner.plan(decoded_of(spans=(Span(*PLACE, 5, 8), Span("coro.events", 1, 0, 1))), at_most(1_000))
    assert await world.offsets.load({PLACE: 0, ("coro.events", 1): 0}) == {PLACE: 8, ("coro.events", 1): 1}


async def test_one_alone_plans_when_two_have_the_same_records(world: World) -> None:
    await world.add_webhook()
    await world.offsets.load({PLACE: 0, ("coro.events", 1): 0})
    span, other = Span(*PLACE, 0, 1), Span("coro.events", 1, 0, 1)
    await world.planner.plan(decoded_of(make_event(), spans=(span,)), at_most(1_000))
    with pytest.raises(FenceLostError):
        await world.planner.plan(decoded_of(make_event(), make_event(), spans=(other, span)), at_most(1_000))
    assert len(await world.rows()) == 1
    assert await world.offsets.load({PLACE: 0, ("coro.events", 1): 0}) == {PLACE: 1, ("coro.events", 1): 0}


async def test_fence_is_lost_when_the_partition_was_never_taken_up(world: World) -> None:
    with pytest.raises(FenceLostError):
        await world.planner.plan(decoded_of(spans=(Span("coro.events", 7, 0, 1),)), at_most(1_000))


def request_for(webhook_id: uuid.UUID) -> TestRequest:
    return TestRequest(webhook_id=webhook_id, test_id=uuid.uuid4(), workspace_id="acme", requested_at=START)


@pytest.mark.parametrize("state", ["enabled", "disabled"])
async def test_test_is_planned_once_whatever_the_webhooks_state_and_room(world: World, state: str) -> None:
    request = request_for(await world.add_webhook(state=state))
    plan = await world.planner.plan(decoded_of(tests=[request, request_for(uuid.uuid4())]), at_most(0))
    (delivery,) = plan.claimed
    assert delivery.kind is DeliveryKind.TEST
    assert delivery.hook_id == request.test_id
    assert delivery.happening.data == TEST_DATA
    assert (await world.planner.plan(decoded_of(tests=[request]), at_most(1_000))).claimed == []
    assert list(await world.rows()) == [request.test_id]
