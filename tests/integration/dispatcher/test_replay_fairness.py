"""A replay at the highest rate leaves live events their turn, of its own webhook and of others."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.dispatcher.stand import Stand, standing
from tests.integration.dispatcher.test_replay_process import ask, events_of, miss, until_assigned
from tests.support.kafka import Topics
from tests.support.waiting import wait_until

MISSED = 1_500


@pytest.fixture
async def stand(database_url: str, kafka_bootstrap: str, topics: Topics) -> AsyncIterator[Stand]:
    async with standing(database_url, kafka_bootstrap, topics) as stand:
        yield stand


async def test_live_events_arrive_when_a_replay_is_under_way(stand: Stand) -> None:
    # So slow a receiver has the replay last for half a minute, with a few deliveries at once.
    replayed = await stand.webhook("/slow/100/replayed", "replayed")
    await stand.webhook("/ok/other", "other")
    with stand.dispatcher(dispatcher_max_in_flight_per_webhook="4", dispatcher_max_waiting="200") as process:
        await until_assigned(process)
        await miss(stand, replayed, MISSED)
        await ask(stand, replayed, rate_per_s=5_000)
        await stand.receiver.until(40, prefix="/slow/100/replayed")
        live = events_of("replayed", 5)
        await stand.emit(*live, *events_of("other", 5))
        await stand.receiver.until(5, prefix="/ok/other", limit_s=30)
        arrived = 0

        async def all_live_came() -> bool:
            nonlocal arrived
            rows = await stand.all(
                "select hook_id from deliveries where event_id = any(:ids)", ids=[e.id for e in live]
            )
            came = {one.hook_id for one in stand.receiver.of("/slow/100/replayed")}
            arrived = len(came)
            return len(rows) == len(live) and {str(row.hook_id) for row in rows} <= came

        await wait_until(all_live_came, what="the live events of the webhook that is replayed", limit_s=60)
        assert arrived < MISSED / 2, "live events waited for the replay to be delivered"
