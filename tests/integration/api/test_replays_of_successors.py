"""A replay to a published draft takes what its original did not get, and nothing that it did."""

from datetime import timedelta

from coro_events.store.unit import Database
from tests.integration.api.calls import WEBHOOKS, Api
from tests.integration.api.past import insert_delivery, insert_event
from tests.integration.api.test_drafts import post, refusal, release
from tests.support.clock import FakeClock


async def test_what_was_held_or_failed_before_is_missed_and_what_was_delivered_is_not(
    api: Api, database: Database, clock: FakeClock
) -> None:
    await release(database, clock, 2)
    original = await api.create()
    draft = await post(api, original, "draft")
    at = clock.now() - timedelta(minutes=10)
    for state in ("held", "failed", "delivered", "pending"):
        await insert_delivery(database, original["id"], at, state=state)
    await insert_delivery(database, draft["id"], at, kind="shadow", state="delivered")
    await insert_event(database, at)
    asked = {"since": int(at.timestamp() * 1000) - 60_000, "dryRun": True}
    await post(api, draft, "publish")

    answer = await api.call("POST", f"{WEBHOOKS}/{draft['id']}/replays", json=asked)

    # The two that stopped, the one that was only tried out, and the one that nobody was told.
    assert answer.json() == {"dryRun": True, "missed": 4, "held": 0, "failed": 0}
    asked["dryRun"] = False
    assert "replay to that one" in (await refusal(api, "POST", original, "/replays", json=asked))[2]
