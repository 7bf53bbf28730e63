"""While drafts are published and taken back, every event goes to one webhook of the two, and to one only."""

import asyncio
from collections import Counter
from uuid import UUID

from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.dispatcher.match.sql import SqlPlanner
from tests.integration.api.calls import Api
from tests.integration.api.test_drafts import post, release
from tests.integration.dispatcher.room import Room, count_updated, roomy
from tests.support.clock import FakeClock
from tests.support.dispatching import at_most, decoded_of

SWITCHES = 12
BATCH = 3


async def test_no_event_is_lost_and_none_goes_to_both_when_a_pair_is_switched_under_traffic(
    api: Api, database: Database, vault: Vault, clock: FakeClock
) -> None:
    await release(database, clock, 2)
    original = await api.create(triggers=["workspaceStatusUpdated.v1"])
    draft = await post(api, original, "draft")
    room = Room(database, vault, clock)
    over = asyncio.Event()

    async def emit(planner: SqlPlanner) -> set[UUID]:
        planned: set[UUID] = set()
        while not over.is_set():
            events = [count_updated("acme", occurred_at=clock.now()) for _ in range(BATCH)]
            # Nothing is claimed at once, so that all of it waits while the pair is switched.
            await planner.plan(decoded_of(*events), at_most(0))
            planned |= {event.id for event in events}
        return planned

    async def switch() -> None:
        try:
            for _ in range(SWITCHES):
                await post(api, draft, "publish")
                await post(api, draft, "switch-back")
            await post(api, draft, "publish")
        finally:
            over.set()

    _, first, second = await asyncio.gather(switch(), emit(room.planner), emit(room.another_planner()))

    rows = await room.all("select event_id, webhook_id, kind, hook_id from deliveries")
    assert {row.kind for row in rows} == {"event"}
    assert Counter(row.event_id for row in rows) == dict.fromkeys(first | second, 1)
    assert {str(row.webhook_id) for row in rows} == {original["id"], draft["id"]}
    # What waits for the one that was replaced goes out from it, in its format.
    await room.stopped.hold_back(10_000)
    claimed = list(await room.due.claim(roomy, 500))
    while some := await room.due.claim(roomy, 500):
        claimed += some
    assert {one.hook_id for one in claimed} == {row.hook_id for row in rows}
    assert {(str(one.target.webhook_id), one.target.version) for one in claimed} == {
        (original["id"], 1),
        (draft["id"], 2),
    }


async def test_what_waits_for_a_webhook_that_was_switched_back_still_goes_out(
    api: Api, database: Database, vault: Vault, clock: FakeClock
) -> None:
    await release(database, clock, 2)
    original = await api.create(triggers=["workspaceStatusUpdated.v1"])
    draft = await post(api, original, "draft")
    room = Room(database, vault, clock)
    await post(api, draft, "publish")
    event = count_updated("acme", occurred_at=clock.now())
    await room.planner.plan(decoded_of(event), at_most(0))

    await post(api, draft, "switch-back")
    await room.stopped.hold_back(100)

    (claimed,) = await room.due.claim(roomy, 10)
    assert (str(claimed.target.webhook_id), claimed.target.version) == (draft["id"], 2)
    assert claimed.happening.event_id == event.id
