"""Replays in a real database: what they take, once and in no case twice, and how they end."""

from datetime import timedelta

import pytest

from coro_events.contract.triggers import Trigger
from services.dispatcher.deliver.outcome import Outcome
from services.dispatcher.record.retry import MAX_ATTEMPTS
from tests.integration.dispatcher.replaying import SINCE, Replaying, make_replaying
from tests.integration.dispatcher.room import Room, count_updated
from tests.support.clock import START
from tests.support.dispatching import make_effect
from tests.support.makers import insert_webhook, insert_workspace


@pytest.fixture
async def it(room: Room) -> Replaying:
    await insert_workspace(room.database, "acme")
    await insert_workspace(room.database, "acme-east", parent="acme")
    await insert_workspace(room.database, "rival")
    return await make_replaying(room)


async def test_nothing_is_done_when_nobody_asked(it: Replaying) -> None:
    await it.fail(1)
    assert await it.step() is None
    assert await it.states() == {"failed": 1}


async def test_missed_events_arrive_once_when_the_webhook_is_enabled_again(it: Replaying) -> None:
    events = await it.miss(count_updated("acme"), count_updated("acme-east"))
    assert await it.deliveries() == []
    await it.ask()
    assert await it.run() == 2
    claimed = await it.claim()
    assert {delivery.happening.event_id for delivery in claimed} == {event.id for event in events}
    assert {delivery.happening.workspace_id for delivery in claimed} == {"acme", "acme-east"}
    assert {(delivery.attempts, delivery.manual) for delivery in claimed} == {(0, False)}
    await it.room.ledger.record([make_effect(delivery) for delivery in claimed])
    assert await it.states() == {"delivered": 2}
    replay = await it.replay()
    assert (replay.state, replay.replayed, replay.reason) == ("done", 2, None)
    assert replay.finished_at is not None


async def test_delivery_is_filed_with_its_event_and_workspace(it: Replaying) -> None:
    (event,) = await it.miss(count_updated("acme-east", occurred_at=START - timedelta(days=2)))
    await it.ask(since=START - timedelta(days=3))
    await it.run()
    (row,) = await it.deliveries()
    assert (row.day, row.event_id) == (event.occurred_at.date(), event.id)
    assert (row.workspace_id, row.kind, row.claim) == ("acme-east", "event", None)


async def test_stopped_deliveries_are_taken_up_with_their_hook_ids(it: Replaying) -> None:
    await it.hold(2)
    await it.fail(1)
    before = {row.hook_id for row in await it.deliveries()}
    await it.ask()
    assert await it.run() == 3
    assert {delivery.hook_id for delivery in await it.claim()} == before


async def test_delivery_has_four_fresh_attempts_when_it_is_taken_up_again(it: Replaying) -> None:
    (failed,) = await it.fail(1)
    await it.ask()
    await it.run()
    numbers = []
    for _ in range(MAX_ATTEMPTS):
        await it.room.change("update deliveries set due_at = now(), leased_until = now()")
        (delivery,) = await it.claim()
        assert (delivery.hook_id, delivery.attempts_before) == (failed.hook_id, 1)
        numbers.append(delivery.attempts + 1)
        await it.room.ledger.record([make_effect(delivery, Outcome.TIMED_OUT)])
    assert numbers == [2, 3, 4, 5]
    assert await it.states() == {"failed": 1}
    (hook,) = await it.room.all("select * from webhooks")
    assert hook.state == "disabled"
    assert hook.disabled_reason.startswith("4 of 4 attempts failed.")


@pytest.mark.parametrize("include", ["missed", "held", "failed"])
async def test_only_what_is_included_is_taken(it: Replaying, include: str) -> None:
    await it.miss(count_updated("acme"))
    await it.hold(2)
    await it.fail(3)
    expected = {"missed": 1, "held": 2, "failed": 3}[include]
    await it.ask(include)
    assert await it.run() == expected
    assert len(await it.claim()) == expected


async def test_events_are_left_when_the_webhook_would_not_get_them(it: Replaying) -> None:
    await it.miss(
        count_updated("rival"),
        count_updated("nowhere"),
        count_updated("acme", trigger=Trigger.SUBSCRIPTION_UPDATED, data=b"{}"),
        count_updated("acme", occurred_at=SINCE - timedelta(seconds=1)),
    )
    assert await it.count() == (0, 0, 0)
    await it.ask()
    assert await it.run() == 0
    assert (await it.replay()).state == "done"


async def test_events_below_are_left_when_the_webhook_is_of_its_own_workspace_alone(it: Replaying) -> None:
    await it.miss(count_updated("acme"), count_updated("acme-east"))
    await it.room.change("update webhooks set apply_to_all_descendants = false")
    assert await it.count() == (1, 0, 0)
    await it.ask()
    assert await it.run() == 1


async def test_event_is_replayed_when_its_workspace_came_later(it: Replaying) -> None:
    await it.room.plan(count_updated("acme-late"))
    await insert_workspace(it.room.database, "acme-late", parent="acme")
    await it.ask()
    assert await it.run() == 1


async def test_stopped_deliveries_are_left_when_they_are_older_than_asked(it: Replaying) -> None:
    await it.fail(2)
    assert await it.count(START + timedelta(seconds=1)) == (0, 0, 0)
    await it.ask(since=START + timedelta(seconds=1))
    assert await it.run() == 0
    await it.ask(since=START)
    assert await it.run() == 2


async def test_other_webhooks_are_left_alone(it: Replaying) -> None:
    other = await insert_webhook(it.room.database, it.room.vault, triggers=["workspace-status-updated"])
    await it.fail(1)
    await it.room.change("update webhooks set state = 'enabled'")
    await it.ask()
    assert await it.run() == 1
    rows = await it.room.all("select state from deliveries where webhook_id = :id", id=other.id)
    assert [row.state for row in rows] == ["failed"]


async def test_events_that_come_after_the_request_are_left_to_intake(it: Replaying) -> None:
    await it.miss(count_updated("acme"))
    await it.ask()
    await it.miss(count_updated("acme"))
    assert await it.run() == 1


async def test_events_are_found_on_whatever_day_they_are_filed(it: Replaying) -> None:
    times = (-20, -9, -7, -1, 0, 1, 30)
    await it.miss(*(count_updated("acme", occurred_at=START + timedelta(days=days)) for days in times))
    since = START - timedelta(days=25)
    assert await it.count(since) == (len(times), 0, 0)
    await it.ask(since=since)
    assert await it.run() == len(times)


async def test_event_is_found_when_it_came_early_by_a_clock_that_was_ahead(it: Replaying) -> None:
    it.room.clock.set(START - timedelta(days=2))
    await it.miss(count_updated("acme", occurred_at=START + timedelta(hours=1)))
    it.room.clock.set(START)
    (event,) = await it.room.all("select day from events")
    assert event.day == (START - timedelta(days=1)).date()
    assert await it.count(START) == (1, 0, 0)
    await it.ask(since=START)
    assert await it.run() == 1


async def test_dry_run_counts_what_the_replay_then_does(it: Replaying) -> None:
    await it.miss(*(count_updated("acme", occurred_at=START - timedelta(minutes=n)) for n in range(80)))
    await it.hold(3)
    await it.fail(4)
    assert await it.count() == (61, 3, 4)
    await it.ask(rate_per_s=20)
    assert await it.run() == 68
    assert await it.count() == (0, 0, 0)
    replay = await it.replay()
    assert (replay.expected, replay.replayed) == (68, 68)


async def test_nothing_arrives_twice_when_it_is_replayed_again(it: Replaying) -> None:
    await it.miss(count_updated("acme"))
    await it.hold(1)
    await it.ask()
    assert await it.run() == 2
    await it.ask()
    assert await it.run() == 0
    await it.room.ledger.record([make_effect(delivery) for delivery in await it.claim()])
    await it.ask()
    assert await it.run() == 0
    assert await it.claim() == []
    assert await it.states() == {"delivered": 2}


async def test_nothing_arrives_twice_when_the_event_itself_is_repeated(it: Replaying) -> None:
    (event,) = await it.miss(count_updated("acme"))
    await it.ask()
    await it.run()
    assert await it.room.plan(event) == []
    assert len(await it.claim()) == 1
