"""What every adapter of `DueDeliveries` promises."""

from collections import Counter
from datetime import timedelta

import pytest

from services.dispatcher.deliver.outcome import Outcome
from tests.contract.dispatcher.worlds import LEASE_S, World, leave, roomy
from tests.support.clock import START, FakeClock
from tests.support.dispatching import at_most, decoded_of, make_effect
from tests.support.makers import make_event


async def test_due_deliveries_are_claimed_whole_and_once(world: World, clock: FakeClock) -> None:
    await world.add_webhook()
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    planned = {one.hook_id: one for one in await leave(world, 3, traceparent=traceparent)}
    claimed = await world.due.claim(roomy, 10)
    assert {one.hook_id for one in claimed} == set(planned)
    for delivery in claimed:
        before = planned[delivery.hook_id]
        assert (delivery.day, delivery.kind, delivery.target) == (before.day, before.kind, before.target)
        assert (delivery.happening, delivery.attempts) == (before.happening, 0)
        assert delivery.happening.traceparent == traceparent
        assert delivery.leased_until == clock.monotonic() + LEASE_S
    rows = await world.rows()
    assert all(row.is_claimed and row.due_in_s > LEASE_S / 2 for row in rows.values())
    assert list(await world.due.claim(roomy, 10)) == []


async def test_nothing_is_claimed_when_nothing_is_due(world: World) -> None:
    await world.add_webhook()
    (delivery,) = (await world.planner.plan(decoded_of(make_event()), at_most(1_000))).claimed
    assert list(await world.due.claim(roomy, 10)) == []
    await world.ledger.record([make_effect(delivery, Outcome.RECEIVER_FAILED)])
    assert list(await world.due.claim(roomy, 10)) == []


async def test_row_is_claimable_again_when_its_lease_is_over(world: World) -> None:
    await world.add_webhook()
    (delivery,) = (await world.planner.plan(decoded_of(make_event()), at_most(1_000))).claimed
    await world.make_due()
    (again,) = await world.due.claim(roomy, 10)
    assert again.hook_id == delivery.hook_id
    assert again.claim != delivery.claim


async def test_retry_counts_the_attempts_before_it(world: World) -> None:
    await world.add_webhook()
    (delivery,) = (await world.planner.plan(decoded_of(make_event()), at_most(1_000))).claimed
    await world.ledger.record([make_effect(delivery, Outcome.TIMED_OUT)])
    await world.make_due()
    (again,) = await world.due.claim(roomy, 10)
    assert (again.hook_id, again.attempts) == (delivery.hook_id, 1)


async def test_webhook_with_much_work_leaves_its_share_to_others(world: World) -> None:
    big = await world.add_webhook()
    await leave(world, 40)
    small = {await world.add_webhook() for _ in range(3)}
    await leave(world, 2)
    await world.make_due()
    counts = Counter(one.target.webhook_id for one in await world.due.claim(roomy, 16))
    assert counts[big] == 4
    assert {counts[one] for one in small} == {2}


async def test_no_day_waits_for_the_backlog_of_another(world: World) -> None:
    busy = await world.add_webhook()
    await leave(world, 40, occurred_at=START - timedelta(days=1))
    others = {await world.add_webhook() for _ in range(3)}
    await leave(world, 4)
    claimed = await world.due.claim(roomy, 16)
    assert Counter(one.target.webhook_id for one in claimed) == dict.fromkeys({busy, *others}, 4)
    assert {one.day for one in claimed if one.target.webhook_id in others} == {START.date()}


async def test_no_more_is_claimed_than_the_limit(world: World) -> None:
    await world.add_webhook()
    await leave(world, 9)
    assert len(await world.due.claim(roomy, 5)) == 5
    assert len(await world.due.claim(roomy, 5)) == 4


async def test_no_more_is_claimed_than_the_limit_when_more_webhooks_have_work(world: World) -> None:
    for _ in range(5):
        await world.add_webhook()
    await leave(world, 1)
    assert [len(await world.due.claim(roomy, limit)) for limit in (0, 2, 10)] == [0, 2, 3]


async def test_no_more_is_claimed_than_there_is_room(world: World) -> None:
    first, second = await world.add_webhook(), await world.add_webhook()
    await leave(world, 4)
    rooms = {first: 1, second: 0}
    claimed = await world.due.claim(lambda webhook_id: rooms[webhook_id], 10)
    assert [one.target.webhook_id for one in claimed] == [first]


async def test_room_holds_over_all_days(world: World) -> None:
    await world.add_webhook()
    for days in (0, 1, 2):
        await leave(world, 3, occurred_at=START - timedelta(days=days))
    assert len(await world.due.claim(lambda _: 2, 100)) == 2


async def test_edit_counts_from_the_next_claim_on(world: World) -> None:
    webhook_id = await world.add_webhook()
    await leave(world, 1)
    await world.set_state(webhook_id, "disabled")
    assert list(await world.due.claim(roomy, 10)) == []
    await world.set_state(webhook_id, "enabled")
    assert len(await world.due.claim(roomy, 10)) == 1


async def test_released_delivery_is_claimable_at_once(world: World) -> None:
    await world.add_webhook()
    planned = (await world.planner.plan(decoded_of(make_event(), make_event()), at_most(1_000))).claimed
    await world.due.release(planned[:1])
    assert [one.hook_id for one in await world.due.claim(roomy, 10)] == [planned[0].hook_id]


async def test_release_changes_nothing_when_the_claim_was_lost(world: World) -> None:
    await world.add_webhook()
    lost = (await world.planner.plan(decoded_of(make_event()), at_most(1_000))).claimed
    await world.make_due()
    await world.due.claim(roomy, 10)
    await world.due.release(lost)
    await world.due.release([])
    assert list(await world.due.claim(roomy, 10)) == []


async def test_release_changes_nothing_when_the_delivery_is_over(world: World) -> None:
    await world.add_webhook()
    (delivery,) = (await world.planner.plan(decoded_of(make_event()), at_most(1_000))).claimed
    await world.ledger.record([make_effect(delivery)])
    await world.due.release([delivery])
    assert (await world.rows())[delivery.hook_id].state == "delivered"


async def test_backlog_counts_what_is_due_and_nobodys_and_how_long_the_oldest_is(world: World) -> None:
    empty = await world.due.backlog()
    assert (empty.due, empty.oldest_s) == (0, 0)
    await world.add_webhook()
    await leave(world, 3)
    await world.planner.plan(decoded_of(make_event()), at_most(1_000))
    await world.pass_time(20)
    backlog = await world.due.backlog()
    assert backlog.due == 3, "what is claimed does not count"
    assert backlog.oldest_s == pytest.approx(20, abs=5)
    await world.due.claim(roomy, 10)
    assert (await world.due.backlog()).due == 0
