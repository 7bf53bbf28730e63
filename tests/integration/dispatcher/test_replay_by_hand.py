"""A retry by hand: one attempt, whatever the webhook's state, and it never disables."""

import pytest

from services.dispatcher.deliver.outcome import Outcome
from services.dispatcher.match.delivery import Delivery
from tests.integration.dispatcher.replaying import Replaying, make_replaying
from tests.integration.dispatcher.room import Room, count_updated
from tests.support.dispatching import make_effect
from tests.support.makers import insert_workspace


@pytest.fixture
async def it(room: Room) -> Replaying:
    await insert_workspace(room.database, "acme")
    return await make_replaying(room)


async def retried(it: Replaying) -> Delivery:
    """Let a delivery fail and retry it; return its claim."""
    (failed,) = await it.fail(1)
    await it.retry(failed.hook_id)
    (delivery,) = await it.claim()
    assert delivery.hook_id == failed.hook_id
    return delivery


async def webhook_state(it: Replaying) -> str:
    (row,) = await it.room.all("select state from webhooks")
    return str(row.state)


@pytest.mark.parametrize("outcome", [Outcome.TIMED_OUT, Outcome.BUSY, Outcome.GONE])
async def test_it_has_one_attempt_and_disables_nothing_when_that_fails(it: Replaying, outcome: Outcome) -> None:
    delivery = await retried(it)
    assert (delivery.attempts, delivery.attempts_before, delivery.manual) == (1, 1, True)
    (written,) = await it.room.ledger.record([make_effect(delivery, outcome)])
    assert written.disable_reason is None
    (row,) = await it.deliveries()
    assert (row.state, row.attempts) == ("failed", 2)
    assert await webhook_state(it) == "enabled"
    numbers = await it.room.all("select number from attempts order by number")
    assert [attempt.number for attempt in numbers] == [1, 2]


async def test_it_is_delivered_when_the_receiver_takes_it(it: Replaying) -> None:
    await it.room.ledger.record([make_effect(await retried(it))])
    assert await it.states() == {"delivered": 1}


async def test_it_goes_out_alone_when_the_webhook_is_disabled(it: Replaying) -> None:
    await it.hold(2)
    await it.room.plan(count_updated("acme"))
    await it.set_state("disabled")
    held = next(row for row in await it.deliveries() if row.state == "held")
    await it.retry(held.hook_id)
    await it.room.stopped.hold_back(100)
    (delivery,) = await it.claim()
    assert delivery.hook_id == held.hook_id
    await it.room.ledger.record([make_effect(delivery)])
    assert (await it.states())["delivered"] == 1
    assert await webhook_state(it) == "disabled"


async def test_it_may_be_asked_for_again_and_again(it: Replaying) -> None:
    delivery = await retried(it)
    for attempts in (2, 3, 4, 5, 6):
        await it.room.ledger.record([make_effect(delivery, Outcome.TIMED_OUT)])
        await it.retry(delivery.hook_id)
        (delivery,) = await it.claim()
        assert (delivery.attempts, delivery.manual) == (attempts, True)


async def test_it_is_an_ordinary_delivery_again_when_a_replay_takes_it_up(it: Replaying) -> None:
    await it.room.ledger.record([make_effect(await retried(it), Outcome.TIMED_OUT)])
    await it.ask()
    assert await it.run() == 1
    (delivery,) = await it.claim()
    assert (delivery.attempts, delivery.attempts_before, delivery.manual) == (2, 2, False)


async def test_it_is_left_to_the_retry_when_a_replay_comes_after_it(it: Replaying) -> None:
    (failed,) = await it.fail(1)
    await it.retry(failed.hook_id)
    await it.ask()
    assert await it.run() == 0
    assert len(await it.claim()) == 1


async def test_waiting_delivery_goes_on_in_its_schedule_when_it_is_brought_forward(it: Replaying) -> None:
    (delivery,) = await it.room.plan(count_updated("acme"))
    await it.room.ledger.record([make_effect(delivery, Outcome.TIMED_OUT)])
    assert await it.claim() == []
    await it.retry(delivery.hook_id)
    (again,) = await it.claim()
    assert (again.attempts, again.attempts_before, again.manual) == (1, 0, False)
    (written,) = await it.room.ledger.record([make_effect(again, Outcome.TIMED_OUT)])
    assert written.again_in_s is not None


async def test_late_outcome_is_not_written_when_the_claim_was_taken_away(it: Replaying) -> None:
    (delivery,) = await it.room.plan(count_updated("acme"))
    await it.room.change("update deliveries set due_at = now(), leased_until = now()")
    await it.retry(delivery.hook_id)
    assert await it.room.ledger.record([make_effect(delivery, Outcome.TIMED_OUT)]) == []
    assert len(await it.claim()) == 1
