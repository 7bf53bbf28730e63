"""What every adapter of `Ledger` promises."""

import uuid

import pytest

from services.dispatcher.deliver.outcome import Outcome
from services.dispatcher.intake.batch import TestRequest
from services.dispatcher.match.delivery import Delivery
from tests.contract.dispatcher.worlds import World
from tests.support.clock import START
from tests.support.dispatching import at_most, decoded_of, make_effect
from tests.support.makers import make_event


def roomy(_: uuid.UUID) -> int:
    return 1_000


async def claimed(world: World, count: int = 1) -> list[Delivery]:
    """Plan so many events to one webhook, claimed."""
    await world.add_webhook()
    return (await world.planner.plan(decoded_of(*(make_event() for _ in range(count))), at_most(1_000))).claimed


async def test_delivered_is_written_with_its_attempt(world: World) -> None:
    (delivery,) = await claimed(world)
    effect = make_effect(delivery, status=200, head="200 OK", body="fine")
    assert list(await world.ledger.record([effect])) == [effect]
    row = (await world.rows())[delivery.hook_id]
    assert (row.state, row.attempts, row.is_claimed) == ("delivered", 1, False)
    assert await world.attempts() == [(delivery.hook_id, 1)]


async def test_failure_waits_for_its_next_attempt(world: World) -> None:
    (delivery,) = await claimed(world)
    await world.ledger.record([make_effect(delivery, Outcome.TIMED_OUT)])
    row = (await world.rows())[delivery.hook_id]
    assert (row.state, row.attempts, row.is_claimed) == ("pending", 1, False)
    assert 55 < row.due_in_s <= 60


async def test_nothing_is_written_again_when_the_same_effects_are_recorded_twice(world: World) -> None:
    delivered, failed = await claimed(world, 2)
    effects = [make_effect(delivered), make_effect(failed, Outcome.RECEIVER_FAILED)]
    assert len(await world.ledger.record(effects)) == 2
    assert list(await world.ledger.record(effects)) == []
    assert len(await world.attempts()) == 2
    assert {row.attempts for row in (await world.rows()).values()} == {1}


async def test_neither_delivery_nor_attempt_is_written_when_the_claim_was_lost(world: World) -> None:
    lost, kept = await claimed(world, 2)
    await world.make_due()
    taken = {one.hook_id: one for one in await world.due.claim(roomy, 10)}
    effects = [make_effect(lost, Outcome.RECEIVER_FAILED), make_effect(taken[kept.hook_id])]
    assert list(await world.ledger.record(effects)) == [effects[1]]
    row = (await world.rows())[lost.hook_id]
    assert (row.state, row.attempts, row.is_claimed) == ("pending", 0, True)
    assert await world.attempts() == [(kept.hook_id, 1)]


async def test_one_attempt_is_written_when_a_delivery_comes_under_an_old_and_a_new_claim(world: World) -> None:
    (before,) = await claimed(world)
    await world.make_due()
    (after,) = await world.due.claim(roomy, 10)
    effects = [make_effect(before, Outcome.GONE), make_effect(after)]
    assert list(await world.ledger.record(effects)) == [effects[1]]
    row = (await world.rows())[after.hook_id]
    assert (row.state, row.attempts, row.is_claimed) == ("delivered", 1, False)
    assert await world.attempts() == [(after.hook_id, 1)]
    assert await world.state(after.target.webhook_id) == "enabled"


async def test_webhook_is_disabled_when_its_fourth_attempt_failed(world: World) -> None:
    (delivery,) = await claimed(world)
    webhook_id = delivery.target.webhook_id
    for number in (1, 2, 3, 4):
        assert await world.state(webhook_id) == "enabled"
        assert len(await world.ledger.record([make_effect(delivery, Outcome.RECEIVER_FAILED)])) == 1
        if number < 4:
            await world.make_due()
            (delivery,) = await world.due.claim(roomy, 10)
    assert await world.state(webhook_id) == "disabled"
    row = (await world.rows())[delivery.hook_id]
    assert (row.state, row.attempts) == ("failed", 4)
    assert await world.attempts() == [(delivery.hook_id, number) for number in (1, 2, 3, 4)]


async def test_webhook_is_disabled_at_once_when_its_receiver_is_gone(world: World) -> None:
    (delivery,) = await claimed(world)
    await world.ledger.record([make_effect(delivery, Outcome.GONE, status=410)])
    assert await world.state(delivery.target.webhook_id) == "disabled"


async def test_webhook_is_not_disabled_when_the_claim_was_lost(world: World) -> None:
    (delivery,) = await claimed(world)
    await world.make_due()
    await world.due.claim(roomy, 10)
    assert list(await world.ledger.record([make_effect(delivery, Outcome.GONE)])) == []
    assert await world.state(delivery.target.webhook_id) == "enabled"


@pytest.mark.parametrize("outcome", [Outcome.GONE, Outcome.RECEIVER_FAILED])
async def test_test_never_disables(world: World, outcome: Outcome) -> None:
    webhook_id = await world.add_webhook()
    request = TestRequest(webhook_id=webhook_id, test_id=uuid.uuid4(), workspace_id="acme", requested_at=START)
    (delivery,) = (await world.planner.plan(decoded_of(tests=[request]), at_most(1_000))).claimed
    await world.ledger.record([make_effect(delivery, outcome)])
    assert await world.state(webhook_id) == "enabled"
    assert (await world.rows())[delivery.hook_id].state == "failed"


async def test_recording_nothing_is_harmless(world: World) -> None:
    assert list(await world.ledger.record([])) == []
