"""A webhook whose life is over is read and removed, and refuses all else with what to do instead."""

import uuid

import pytest
from sqlalchemy import update

from coro_events.store.tables import webhooks
from coro_events.store.unit import Database
from tests.integration.api.calls import WEBHOOKS, Api, messages
from tests.integration.api.past import delivery, insert_delivery
from tests.integration.api.test_drafts import release
from tests.support.clock import FakeClock
from tests.unit.api.bodies import make_body

INSTEAD = "publish its draft, or create a new webhook of"


@pytest.fixture
async def expired(api: Api, database: Database, clock: FakeClock) -> str:
    """Return the path of a webhook of version 1 that has expired."""
    await release(database, clock, 2)
    webhook = await api.create()
    async with database.write() as connection:
        mine = webhooks.c.id == uuid.UUID(webhook["id"])
        await connection.execute(update(webhooks).where(mine).values(state="expired", expired_at=clock.now()))
    return f"{WEBHOOKS}/{webhook['id']}"


async def test_expired_webhook_refuses_what_it_does_no_more_with_what_to_do_instead(
    api: Api, expired: str, database: Database, clock: FakeClock
) -> None:
    webhook_id = expired.rpartition("/")[2]
    failed = await insert_delivery(database, webhook_id, clock.now())
    delivered = await insert_delivery(database, webhook_id, clock.now(), state="delivered", attempts=1)
    before = await messages(database)
    since = {"since": int(clock.now().timestamp() * 1000) - 3_600_000}

    for method, what, body in (
        ("PUT", "", make_body(status="enabled")),
        ("PUT", "", make_body(name="Renamed")),
        ("GET", "/test", None),
        ("POST", "/rotate-secret", {}),
        ("POST", "/replays", since),
        ("POST", "/replays", since | {"dryRun": True}),
        ("POST", f"/deliveries/{failed}/retry", None),
        ("POST", f"/deliveries/{delivered}/resend", None),
    ):
        answer = await api.call(method, f"{expired}{what}", json=body)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:coro:problem:wrong-state"), what
        assert INSTEAD in answer.json()["detail"], what
    assert await messages(database) == before
    assert (await delivery(database, failed)).state == "failed"


async def test_expired_webhook_is_read_with_its_past_and_removed(
    api: Api, expired: str, database: Database, clock: FakeClock
) -> None:
    await insert_delivery(database, expired.rpartition("/")[2], clock.now())

    assert (await api.get(expired)).json()["status"] == "expired"
    assert (await api.get(WEBHOOKS)).json()["items"][0]["status"] == "expired"
    assert len((await api.get(f"{expired}/deliveries")).json()["items"]) == 1
    assert (await api.get(f"{expired}/preview")).status_code == 200
    assert (await api.call("POST", f"{expired}/draft")).status_code == 201
    assert (await api.call("DELETE", expired)).status_code == 204
    assert (await api.get(WEBHOOKS)).json()["items"] == []


async def test_name_of_an_expired_webhook_is_free_again(api: Api, expired: str) -> None:
    created = await api.create(triggers=["workspaceCreated.v2"])

    assert (await api.get(expired)).json()["name"] == created["name"]
