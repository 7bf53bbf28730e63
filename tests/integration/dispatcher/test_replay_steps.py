"""Steps of a replay: shared by replicas, killed in the middle, slowed down, ended before everything was taken."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from coro_events.errors import StoreUnavailableError
from services.dispatcher.replay.sql import LARGEST_BATCH
from tests.integration.dispatcher.replaying import MOST_STEPS, Replaying, make_replaying
from tests.integration.dispatcher.room import Room, count_updated
from tests.support.clock import START
from tests.support.makers import insert_workspace
from tests.support.waiting import wait_until


@pytest.fixture
async def it(room: Room) -> Replaying:
    await insert_workspace(room.database, "acme")
    return await make_replaying(room)


@asynccontextmanager
async def step_that_stands_still(it: Replaying) -> AsyncIterator[tuple["asyncio.Future[Any]", int]]:
    """Keep a replica in the middle of a step for the block; give the step and its database process."""
    async with it.room.database.write() as other:
        # Rows may be read and not written, so the step comes as far as its first change.
        await other.execute(text("lock table deliveries in exclusive mode"))
        step = asyncio.ensure_future(it.step(it.another()))

        async def waiting() -> int | None:
            rows = await it.room.all(
                "select l.pid from pg_locks l join pg_database d on d.oid = l.database"
                " where not l.granted and d.datname = current_database()"
            )
            return rows[0].pid if rows else None

        yield step, await wait_until(waiting, what="the step to wait for the lock")


async def activities(it: Replaying) -> list[tuple[str, dict[str, Any]]]:
    rows = await it.room.all("select action, detail from activity_log where action like '%replay%' order by id")
    return [(row.action, row.detail) for row in rows]


async def test_step_counts_for_nothing_when_its_replica_is_killed_in_the_middle(it: Replaying) -> None:
    await it.hold(2)
    await it.miss(*(count_updated("acme") for _ in range(5)))
    await it.ask(rate_per_s=4)
    async with step_that_stands_still(it) as (step, pid):
        await it.room.all("select pg_terminate_backend(:pid)", pid=pid)
        with pytest.raises(StoreUnavailableError):
            await step
    replay = await it.replay()
    assert (replay.state, replay.replayed) == ("running", 0)
    assert await it.run(it.another()) == 7
    assert len(await it.claim()) == 7


async def test_replica_takes_nothing_when_another_is_in_the_middle_of_a_step(it: Replaying) -> None:
    await it.hold(3)
    await it.ask(rate_per_s=4)
    async with step_that_stands_still(it) as (step, _):
        assert await it.another().step() is None
    assert (await step).replayed == 2
    assert await it.run() == 1


async def test_no_batch_is_taken_twice_when_replicas_step_at_once(it: Replaying) -> None:
    events = await it.miss(*(count_updated("acme", occurred_at=START - timedelta(seconds=n)) for n in range(9)))
    await it.ask(rate_per_s=4)
    replicas = [it.another() for _ in range(4)]
    replayed = []
    while (await it.replay()).state == "running":
        await it.room.change("update replays set next_at = now()")
        steps = await asyncio.gather(*(replica.step() for replica in replicas))
        replayed += [step.replayed for step in steps if step is not None]
        assert len(replayed) < MOST_STEPS
    assert sum(replayed) == len(events)
    assert Counter(row.event_id for row in await it.deliveries()) == Counter(event.id for event in events)


async def test_another_replica_goes_on_from_the_cursor_when_one_is_gone(it: Replaying) -> None:
    times = [START - timedelta(seconds=n) for n in (5, 4, 4, 4, 3, 2, 1)]
    events = await it.miss(*(count_updated("acme", occurred_at=occurred_at) for occurred_at in times))
    await it.ask(rate_per_s=4)
    seen: list[int] = []
    for _ in range(MOST_STEPS):
        step = await it.step(it.another())
        if step is None:
            break
        seen.append(step.replayed)
    assert [replayed for replayed in seen if replayed] == [2, 2, 2, 1]
    assert {row.event_id for row in await it.deliveries()} == {event.id for event in events}


async def test_next_step_waits_as_the_rate_asks(it: Replaying) -> None:
    await it.hold(5)
    await it.ask(rate_per_s=4)
    (before,) = await it.room.all("select now() as at")
    step = await it.replays.step()
    (after,) = await it.room.all("select now() as at")
    assert step is not None
    assert step.replayed == 2
    pause = timedelta(seconds=2 / 4)
    assert before.at + pause <= (await it.replay()).next_at <= after.at + pause


async def test_no_step_is_taken_before_its_time(it: Replaying) -> None:
    await it.hold(1)
    await it.ask()
    await it.room.change("update replays set next_at = now() + interval '1 hour'")
    assert await it.replays.step() is None
    assert await it.states() == {"held": 1}


async def test_one_at_a_time_is_taken_when_the_rate_is_the_lowest(it: Replaying) -> None:
    await it.hold(2)
    await it.ask(rate_per_s=1)
    step = await it.step()
    assert step is not None
    assert step.replayed == 1


async def test_batches_have_a_limit_when_the_rate_is_the_highest(it: Replaying) -> None:
    await it.hold(LARGEST_BATCH + 10)
    await it.ask(rate_per_s=5_000)
    steps = [await it.step(), await it.step()]
    assert [step.replayed for step in steps if step is not None] == [LARGEST_BATCH, 10]


async def test_oldest_of_several_replays_is_stepped_first(it: Replaying) -> None:
    other = await make_replaying(it.room)
    await it.hold(1)
    first, second = await it.ask(), await other.ask()
    await it.room.change("update replays set next_at = now() - interval '1 minute' where id = :id", id=second)
    steps = [await it.replays.step() for _ in range(2)]
    assert [step.replay_id for step in steps if step is not None] == [second, first]


async def test_end_is_told_in_the_activity_log(it: Replaying) -> None:
    await it.hold(3)
    replay_id = await it.ask()
    await it.run()
    assert await activities(it) == [
        ("webhook.replayed", {"replayId": str(replay_id), "replayed": 3, "reason": None}),
    ]


async def test_replay_is_cancelled_with_the_reason_when_its_webhook_is_disabled(it: Replaying) -> None:
    await it.hold(5)
    replay_id = await it.ask(rate_per_s=4)
    await it.step()
    await it.set_state("disabled")
    step = await it.step()
    assert step is not None
    assert (step.state, step.replayed) == ("cancelled", 0)
    replay = await it.replay()
    assert (replay.state, replay.reason, replay.replayed) == ("cancelled", "the webhook is disabled", 2)
    assert replay.finished_at is not None
    assert await activities(it) == [
        (
            "webhook.replay_cancelled",
            {"replayId": str(replay_id), "replayed": 2, "reason": "the webhook is disabled"},
        ),
    ]
    await it.set_state("enabled")
    assert await it.step() is None


async def test_nothing_is_taken_any_more_when_the_replay_was_cancelled_by_hand(it: Replaying) -> None:
    await it.hold(5)
    await it.ask(rate_per_s=4)
    await it.step()
    await it.room.change("update replays set state = 'cancelled', reason = 'by hand', finished_at = now()")
    assert await it.step() is None
    assert await it.states() == {"pending": 2, "held": 3}


async def test_replay_is_gone_with_its_webhook(it: Replaying) -> None:
    await it.hold(1)
    await it.ask()
    await it.room.change("delete from webhooks")
    assert await it.step() is None


async def test_delivery_that_fails_again_is_not_taken_up_again_by_the_same_replay(it: Replaying) -> None:
    failed = await it.fail(3)
    await it.ask(rate_per_s=2)
    taken: Counter[object] = Counter()
    for _ in range(MOST_STEPS):
        if await it.step() is None:
            break
        claimed = await it.claim()
        taken.update(delivery.hook_id for delivery in claimed)
        await it.fail_again(claimed)
    assert taken == Counter(delivery.hook_id for delivery in failed)
    replay = await it.replay()
    assert (replay.state, replay.replayed) == ("done", 3)
    assert await it.states() == {"failed": 3}
    await it.ask()
    assert await it.run() == 3


async def test_missed_delivery_that_fails_is_not_taken_up_by_the_same_replay(it: Replaying) -> None:
    await it.miss(*(count_updated("acme", occurred_at=START - timedelta(seconds=n)) for n in range(3)))
    await it.ask(rate_per_s=2)
    replayed = 0
    for _ in range(MOST_STEPS):
        step = await it.step()
        if step is None:
            break
        replayed += step.replayed
        await it.fail_again(await it.claim())
    assert replayed == 3
    assert await it.states() == {"failed": 3}
