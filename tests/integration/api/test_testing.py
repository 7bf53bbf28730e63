"""A test on demand: asked for, waited for, answered."""

import asyncio
import uuid
from datetime import datetime
from typing import Any

import httpx
from sqlalchemy import insert, update

from coro_events.store.tables import attempts, deliveries
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from tests.integration.api.calls import WEBHOOKS, Api, activities, messages
from tests.support.clock import FakeClock
from tests.support.makers import insert_webhook
from tests.support.waiting import wait_until


async def requested_test(database: Database) -> dict[str, Any]:
    """Wait until a test is asked for and return its message."""

    async def look() -> dict[str, Any] | None:
        asked = [message for message in await messages(database) if message["type"] == "webhook-test-requested"]
        return asked[-1] if asked else None

    found: dict[str, Any] | None = await wait_until(look, what="a test to be asked for")
    assert found is not None
    return found


def at(message: dict[str, Any]) -> datetime:
    """Return when a message says it happened."""
    return datetime.fromisoformat(message["time"])


async def plan(database: Database, message: dict[str, Any]) -> None:
    """Plan the test delivery, as the dispatcher does."""
    test_id = uuid.UUID(message["data"]["testId"])
    values = {
        "day": at(message).date(),
        "webhook_id": uuid.UUID(message["data"]["webhookId"]),
        "event_id": test_id,
        "hook_id": test_id,
        "workspace_id": "acme",
        "kind": "test",
        "due_at": at(message),
    }
    async with database.write() as connection:
        await connection.execute(insert(deliveries).values(values))


async def finish(database: Database, message: dict[str, Any], *, state: str, **answer: Any) -> None:
    """Record the test's one attempt, as the dispatcher does."""
    test_id = uuid.UUID(message["data"]["testId"])
    values = {
        "day": at(message).date(),
        "hook_id": test_id,
        "number": 1,
        "webhook_id": uuid.UUID(message["data"]["webhookId"]),
        "started_at": at(message),
        "duration_ms": 42,
    } | answer
    async with database.write() as connection:
        await connection.execute(insert(attempts).values(values))
        await connection.execute(
            update(deliveries).where(deliveries.c.event_id == test_id).values(state=state, attempts=1)
        )


async def let_it_look(clock: FakeClock, call: "asyncio.Task[httpx.Response]") -> httpx.Response:
    """Move the time from look to look until the call is answered."""

    async def answered() -> bool:
        if not call.done() and clock.sleepers:
            await clock.advance(0.05)
        return call.done()

    await wait_until(answered, what="the call to be answered")
    return await call


async def test_receivers_answer_is_returned_when_the_test_is_over(
    api: Api, database: Database, vault: Vault, clock: FakeClock
) -> None:
    webhook = await insert_webhook(database, vault)
    call = asyncio.ensure_future(api.get(f"{WEBHOOKS}/{webhook.id}/test"))
    message = await requested_test(database)
    await plan(database, message)
    await finish(
        database,
        message,
        state="failed",
        outcome="refused",
        status=503,
        error="the receiver answered 503",
        response_head="HTTP/1.1 503",
        response_body="later",
    )

    answer = await let_it_look(clock, call)

    assert answer.status_code == 200
    assert answer.json() == {
        "id": message["data"]["testId"],
        "state": "failed",
        "started": int(at(message).timestamp() * 1000),
        "outcome": "refused",
        "statusCode": 503,
        "durationMs": 42,
        "error": "the receiver answered 503",
        "response": {"head": "HTTP/1.1 503", "body": "later"},
    }
    assert (await api.get(f"{WEBHOOKS}/{webhook.id}")).json()["lastTest"] == answer.json()
    assert [action for action, _, _ in await activities(database, subject=str(webhook.id))] == [
        "webhook.test_requested"
    ]


async def test_pending_is_answered_when_the_time_is_over(
    api: Api, database: Database, vault: Vault, clock: FakeClock
) -> None:
    webhook = await insert_webhook(database, vault, state="disabled", disabled_reason="x")
    started_s = clock.monotonic()
    clock.auto_advance = True

    answer = await api.get(f"{WEBHOOKS}/{webhook.id}/test")

    assert answer.status_code == 202
    assert answer.json()["state"] == "pending"
    assert 12 <= clock.monotonic() - started_s < 12.1


async def test_no_connection_is_held_while_tests_wait(
    api: Api, database: Database, vault: Vault, clock: FakeClock
) -> None:
    webhook = await insert_webhook(database, vault)
    # More than the pool has connections.
    calls = [asyncio.ensure_future(api.get(f"{WEBHOOKS}/{webhook.id}/test")) for _ in range(20)]
    await wait_until(lambda: clock.sleepers == 20, what="all of them to wait")

    assert (await api.get(WEBHOOKS)).status_code == 200

    await clock.advance(0.05)
    clock.auto_advance = True
    await clock.advance(12)
    assert {answer.status_code for answer in await asyncio.gather(*calls)} == {202}


async def test_waiting_ends_when_the_process_stops(
    api: Api, database: Database, vault: Vault, clock: FakeClock, stopping: asyncio.Event
) -> None:
    webhook = await insert_webhook(database, vault)
    call = asyncio.ensure_future(api.get(f"{WEBHOOKS}/{webhook.id}/test"))
    await wait_until(lambda: clock.sleepers, what="it to wait")

    stopping.set()

    assert (await let_it_look(clock, call)).status_code == 202


async def test_test_is_refused_when_there_is_no_such_webhook(api: Api) -> None:
    assert (await api.get(f"{WEBHOOKS}/{uuid.uuid4()}/test")).status_code == 404
