"""What every adapter of `StoppedDeliveries` promises."""

import uuid

import pytest

from coro_events.rules.deliveries import DeliveryKind
from services.dispatcher.intake.batch import TestRequest
from tests.contract.dispatcher.worlds import World, leave, roomy
from tests.support.clock import START
from tests.support.dispatching import at_most, decoded_of
from tests.support.makers import make_event


@pytest.mark.parametrize(("state", "expected"), [("disabled", "held"), ("expired", "discarded"), (None, "discarded")])
async def test_waiting_deliveries_are_held_back_when_their_webhook_was_stopped(
    world: World, state: str | None, expected: str
) -> None:
    stopped, going_on = await world.add_webhook(), await world.add_webhook()
    left = await leave(world, 2)
    in_flight = (await world.planner.plan(decoded_of(make_event()), at_most(1_000))).claimed
    await world.set_state(stopped, state)
    assert await world.stopped.hold_back(100) == 2
    assert await world.stopped.hold_back(100) == 0
    rows = await world.rows()
    moved = {one.hook_id for one in left if one.target.webhook_id == stopped}
    assert {key for key, row in rows.items() if row.state == expected} == moved
    assert all(rows[one.hook_id].is_claimed for one in in_flight), "what is in flight is left to whoever records it"
    assert {one.target.webhook_id for one in await world.due.claim(roomy, 10)} == {going_on}


async def test_holding_back_takes_what_was_in_flight_when_its_lease_is_over(world: World) -> None:
    webhook_id = await world.add_webhook()
    await world.planner.plan(decoded_of(make_event()), at_most(1_000))
    await world.set_state(webhook_id, "disabled")
    await world.make_due()
    assert await world.stopped.hold_back(100) == 1
    assert [row.state for row in (await world.rows()).values()] == ["held"]


async def test_holding_back_stops_at_its_limit(world: World) -> None:
    webhook_id = await world.add_webhook()
    await leave(world, 5)
    await world.set_state(webhook_id, "disabled")
    assert [await world.stopped.hold_back(3) for _ in range(3)] == [3, 2, 0]


async def test_what_a_person_asked_for_goes_out_although_its_webhook_is_disabled(world: World) -> None:
    webhook_id = await world.add_webhook()
    await leave(world, 1)
    await world.set_state(webhook_id, "disabled")
    request = TestRequest(webhook_id=webhook_id, test_id=uuid.uuid4(), workspace_id="acme", requested_at=START)
    await world.planner.plan(decoded_of(tests=[request]), at_most(1_000))
    await world.make_due()
    assert await world.stopped.hold_back(100) == 1
    (delivery,) = await world.due.claim(roomy, 10)
    assert (delivery.hook_id, delivery.kind, delivery.manual) == (request.test_id, DeliveryKind.TEST, True)


async def test_what_a_person_asked_for_is_discarded_when_its_webhook_was_removed(world: World) -> None:
    webhook_id = await world.add_webhook()
    request = TestRequest(webhook_id=webhook_id, test_id=uuid.uuid4(), workspace_id="acme", requested_at=START)
    await world.planner.plan(decoded_of(tests=[request]), at_most(1_000))
    await world.set_state(webhook_id, None)
    assert await world.stopped.hold_back(100) == 0, "it may be in flight"
    await world.make_due()
    assert await world.stopped.hold_back(100) == 1
    assert (await world.rows())[request.test_id].state == "discarded"
