"""Claims of several replicas, fairness over many webhooks, and the days that deliveries lie in."""

import asyncio
import uuid
from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from coro_events.contract.triggers import Trigger
from coro_events.store.partitions import drop_partitions
from services.dispatcher.deliver.sql import JUMPS_A_CLAIM, KNOWN_S, WEBHOOKS_A_CLAIM
from services.dispatcher.intake.batch import TestRequest
from tests.integration.dispatcher.room import Room, count_updated, roomy
from tests.support.clock import START
from tests.support.dispatching import at_most, decoded_of
from tests.support.makers import insert_webhook, insert_workspace

STATUS = Trigger.WORKSPACE_STATUS_UPDATED.value


@pytest.fixture(autouse=True)
async def _workspace(room: Room) -> None:
    await insert_workspace(room.database, "acme")


async def webhooks(room: Room, count: int) -> list[uuid.UUID]:
    made = [await insert_webhook(room.database, room.vault, triggers=[STATUS]) for _ in range(count)]
    return [hook.id for hook in made]


async def leave(room: Room, count: int, **event: object) -> None:
    """Plan so many events, and leave their deliveries to everybody."""
    await room.planner.plan(decoded_of(*(count_updated("acme", **event) for _ in range(count))), at_most(0))


async def test_no_row_is_claimed_twice_when_replicas_claim_at_once(room: Room) -> None:
    await webhooks(room, 3)
    await leave(room, 40)
    claimers = [room.another_claimer() for _ in range(4)]
    claims = await asyncio.gather(*(claimer.claim(roomy, 400) for claimer in claimers))
    hooks = Counter(delivery.hook_id for claim in claims for delivery in claim)
    assert len(hooks) == 120
    assert set(hooks.values()) == {1}


async def test_claim_does_not_wait_for_rows_that_another_holds(room: Room) -> None:
    await webhooks(room, 1)
    await leave(room, 5)
    async with room.database.write() as other:
        await other.rows(text("select 1 from deliveries order by due_at limit 2 for update"))
        async with asyncio.timeout(5):
            assert len(await room.due.claim(roomy, 10)) == 3
    assert len(await room.due.claim(roomy, 10)) == 2


async def test_every_webhook_has_its_turn_when_there_are_more_than_a_claim_looks_at(room: Room) -> None:
    await webhooks(room, 1)
    await leave(room, 1)
    ids = [uuid.uuid4() for _ in range(WEBHOOKS_A_CLAIM + 50)]
    await room.change(
        "insert into webhooks (id, workspace_id, version, name, url, apply_to_all_descendants, triggers, secret_sealed)"
        " select w.id, workspace_id, version, w.id, url, false, triggers, secret_sealed"
        " from webhooks, unnest(cast(:ids as uuid[])) as w (id)",
        ids=ids,
    )
    await room.change(
        "insert into deliveries (day, webhook_id, event_id, hook_id, workspace_id, kind, due_at)"
        " select day, w.id, event_id, gen_random_uuid(), workspace_id, kind, now()"
        " from deliveries, unnest(cast(:ids as uuid[])) as w (id)",
        ids=ids,
    )
    # With statistics the planner joins by hash, which keeps no order.
    await room.change("analyze webhooks, deliveries")
    seen: set[uuid.UUID] = set()

    def look(webhook_id: uuid.UUID) -> int:
        seen.add(webhook_id)
        return 0

    for _ in range(2):
        await room.due.claim(look, 400)
    assert len(seen) == len(ids) + 1


async def test_what_is_due_longest_is_claimed_first_whatever_its_day(room: Room) -> None:
    await webhooks(room, 1)
    for days in (0, 2, 1):
        await leave(room, 1, occurred_at=START - timedelta(days=days))
    claimed = [(await room.due.claim(roomy, 1))[0].day for _ in range(3)]
    assert claimed == [date(2026, 3, 2), date(2026, 2, 28), date(2026, 3, 1)]


async def test_webhooks_with_nothing_due_take_no_share(room: Room) -> None:
    busy, *others = await webhooks(room, 5)
    await leave(room, 20)
    await room.change("update deliveries set due_at = now() + interval '1 hour' where webhook_id <> :busy", busy=busy)
    assert len(await room.due.claim(roomy, 20)) == 20
    await room.change("update deliveries set due_at = now() where webhook_id = any (:others)", others=others)
    await room.clock.advance(KNOWN_S)
    assert {delivery.target.webhook_id for delivery in await room.due.claim(roomy, 20)} == set(others)


async def test_due_webhook_is_found_when_it_stands_behind_more_than_a_claim_looks_at(room: Room) -> None:
    (due,) = await webhooks(room, 1)
    await leave(room, 1)
    last = uuid.UUID(int=2**128 - 1)
    await room.change("update webhooks set id = :last where id = :due", last=last, due=due)
    await room.change("update deliveries set webhook_id = :last where webhook_id = :due", last=last, due=due)
    await room.change(
        "insert into deliveries (day, webhook_id, event_id, hook_id, workspace_id, kind, due_at)"
        " select day, cast(lpad(to_hex(i), 32, '0') as uuid), event_id, gen_random_uuid(), workspace_id, kind,"
        "        now() + interval '1 hour'"
        " from deliveries, generate_series(1, :others) i",
        others=JUMPS_A_CLAIM,
    )
    claims = [await room.due.claim(roomy, 10) for _ in range(2)]
    assert [len(claimed) for claimed in claims] == [0, 1]


async def test_new_webhook_gets_its_share_soon_when_others_have_a_backlog(room: Room) -> None:
    await webhooks(room, 1)
    await leave(room, 30)
    assert len(await room.due.claim(roomy, 10)) == 10
    (new,) = await webhooks(room, 1)
    await leave(room, 5)
    await room.clock.advance(KNOWN_S)
    assert new in {delivery.target.webhook_id for delivery in await room.due.claim(roomy, 10)}


async def test_webhook_gets_nothing_when_it_is_stopped_in_the_middle_of_a_backlog(room: Room) -> None:
    (hook,) = await webhooks(room, 1)
    await leave(room, 30)
    assert len(await room.due.claim(roomy, 10)) == 10
    await room.change("update webhooks set state = 'disabled' where id = :id", id=hook)
    assert list(await room.due.claim(roomy, 10)) == []


async def test_backlog_tells_how_long_the_oldest_has_been_due(room: Room) -> None:
    await webhooks(room, 2)
    await leave(room, 2, occurred_at=START - timedelta(days=1))
    await leave(room, 1)
    await room.change("update deliveries set due_at = now() - interval '1 hour' where day = :day", day=START.date())
    backlog = await room.due.backlog()
    assert backlog.due == 6
    assert 3_600 <= backlog.oldest_s < 4_200


async def test_missing_days_are_made_when_they_are_planned(room: Room) -> None:
    await webhooks(room, 1)
    async with room.database.write() as connection:
        await drop_partitions(connection, date(9999, 1, 1))
    events = [count_updated("acme", occurred_at=START + timedelta(days=days)) for days in (-400, -2, 0, 400)]
    deliveries = await room.plan(*events)
    assert [delivery.day for delivery in deliveries] == [
        date(2026, 2, 23),
        date(2026, 2, 28),
        date(2026, 3, 2),
        date(2026, 3, 3),
    ]


async def test_missing_day_is_made_when_a_test_is_planned(room: Room) -> None:
    (hook,) = await webhooks(room, 1)
    async with room.database.write() as connection:
        await drop_partitions(connection, date(9999, 1, 1))
    request = TestRequest(
        webhook_id=hook, test_id=uuid.uuid4(), workspace_id="acme", requested_at=START - timedelta(days=1)
    )
    plan = await room.another_planner().plan(decoded_of(tests=[request]), at_most(1_000))
    assert [delivery.day for delivery in plan.claimed] == [date(2026, 3, 1)]
