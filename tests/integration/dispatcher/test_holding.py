"""What waits for stopped webhooks is found, however many others wait."""

import uuid
from collections.abc import AsyncIterator

import pytest

from coro_events.contract.triggers import Trigger
from coro_events.rules.deliveries import DeliveryState
from services.dispatcher.hold.sql import WEBHOOKS_A_LOOK
from tests.integration.dispatcher.room import Room, count_updated
from tests.support.dispatching import at_most, decoded_of
from tests.support.makers import insert_webhook, insert_workspace

# Behind all of those that are made up below.
LAST = uuid.UUID(int=2**128 - 1)

# More than one call looks at, whether it begins with the rows or with the webhooks.
OTHERS = 2 * WEBHOOKS_A_LOOK + 10


@pytest.fixture
async def crowd(room: Room) -> AsyncIterator[Room]:
    """Give something to wait for to webhooks enough, and to one behind them all."""
    await insert_workspace(room.database, "acme")
    hook = await insert_webhook(room.database, room.vault, triggers=[Trigger.WORKSPACE_STATUS_UPDATED.value])
    await room.planner.plan(decoded_of(count_updated("acme")), at_most(0))
    await room.change(
        "with others as (select cast(lpad(to_hex(i), 32, '0') as uuid) as id from generate_series(1, :others) i"
        "                union all select cast(:last as uuid)),"
        " made as (insert into webhooks (id, workspace_id, version, name, url, apply_to_all_descendants, triggers,"
        "                                secret_sealed)"
        "          select o.id, w.workspace_id, w.version, o.id, w.url, false, w.triggers, w.secret_sealed"
        "          from webhooks w, others o)"
        " insert into deliveries (day, webhook_id, event_id, hook_id, workspace_id, kind, due_at)"
        " select d.day, o.id, d.event_id, gen_random_uuid(), d.workspace_id, d.kind, now() from deliveries d, others o",
        others=OTHERS,
        last=LAST,
    )
    await room.change("delete from webhooks where id = :id", id=hook.id)
    await room.change("delete from deliveries where webhook_id = :id", id=hook.id)
    await room.change("analyze webhooks, deliveries")
    yield room
    await room.change("delete from deliveries")
    await room.change("delete from webhooks")


async def state(room: Room) -> str:
    """Return the state of what waits for the last one."""
    ((value,),) = await room.all("select state from deliveries where webhook_id = :id", id=LAST)
    return str(value)


async def test_delivery_is_held_when_its_disabled_webhook_stands_behind_very_many(crowd: Room) -> None:
    await crowd.change("update webhooks set state = 'disabled' where id = :id", id=LAST)
    assert await crowd.stopped.hold_back(100) == 1
    assert await state(crowd) == DeliveryState.HELD


async def test_delivery_is_discarded_when_its_removed_webhook_stands_behind_very_many(crowd: Room) -> None:
    await crowd.change("delete from webhooks where id = :id", id=LAST)
    looks = OTHERS // WEBHOOKS_A_LOOK + 1
    assert [await crowd.stopped.hold_back(100) for _ in range(looks)] == [0] * (looks - 1) + [1]
    assert await state(crowd) == DeliveryState.DISCARDED
    assert await crowd.stopped.hold_back(100) == 0


async def test_all_of_a_removed_webhook_is_discarded_when_it_is_more_than_a_call_moves(crowd: Room) -> None:
    await crowd.change("delete from webhooks where id < cast('00000000-0000-0000-0000-000000000005' as uuid)")
    assert [await crowd.stopped.hold_back(3) for _ in range(2)] == [3, 1]
