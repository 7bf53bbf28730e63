"""Retry of one delivery by hand."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from coro_events.store.tables import webhooks
from coro_events.store.unit import Database
from tests.integration.api.calls import WEBHOOKS, Api, activities, insert_credential
from tests.integration.api.past import delivery, insert_delivery
from tests.support.clock import FakeClock

MINUTE = timedelta(minutes=1)


class Room:
    """One webhook and its deliveries."""

    def __init__(self, api: Api, database: Database, clock: FakeClock, webhook: dict[str, Any]) -> None:
        self.api = api
        self.database = database
        self.webhook = webhook
        self.now = clock.now()

    async def stopped(self, **changes: Any) -> uuid.UUID:
        """Insert a delivery of half an hour ago and return its hook id."""
        return await insert_delivery(self.database, self.webhook["id"], self.now - 30 * MINUTE, **changes)

    async def pending(self, **changes: Any) -> uuid.UUID:
        """Insert a delivery that has an attempt behind it and another one in an hour."""
        values = {"state": "pending", "attempts": 1, "due_at": self.now + 60 * MINUTE, "finished_at": None}
        return await self.stopped(**values | changes)

    async def set_state(self, state: str) -> None:
        """Change the webhook's state."""
        async with self.database.write() as connection:
            await connection.execute(update(webhooks).values(state=state))

    async def retry(self, hook_id: object, *, workspace: str = "acme") -> httpx.Response:
        """Ask for a retry."""
        path = f"{WEBHOOKS}/{self.webhook['id']}/deliveries/{hook_id}/retry"
        return await self.api.elsewhere(workspace).call("POST", path)

    async def told(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Return what the activity log tells of retries."""
        return [line for line in await activities(self.database, subject=self.webhook["id"]) if "retry" in line[0]]


@pytest.fixture
async def room(api: Api, database: Database, clock: FakeClock) -> Room:
    """Return a webhook without deliveries."""
    return Room(api, database, clock, await api.create())


@pytest.mark.parametrize("webhook", ["enabled", "disabled"])
@pytest.mark.parametrize("state", ["failed", "held"])
async def test_stopped_delivery_gets_an_attempt_of_its_own(room: Room, webhook: str, state: str) -> None:
    await room.set_state(webhook)
    hook_id = await room.stopped(state=state)

    answer = await room.retry(hook_id)

    assert answer.status_code == 202
    row = await delivery(room.database, hook_id)
    assert answer.json() == {
        "id": str(hook_id),
        "state": "pending",
        "attempts": 4,
        "due": int(row.due_at.timestamp() * 1000),
    }
    assert (row.state, row.manual, row.attempts, row.attempts_before) == ("pending", True, 4, 4)
    assert (row.claim, row.finished_at) == (None, None)
    assert row.due_at - room.now < MINUTE
    ((action, actor, detail),) = await room.told()
    assert action == "delivery.retry_requested"
    assert actor.startswith("credential:client-")
    assert detail == {"name": "Billing", "hookId": str(hook_id), "was": state}


async def test_next_attempt_is_brought_forward_when_the_delivery_waits_for_it(room: Room) -> None:
    hook_id = await room.pending()

    assert (await room.retry(hook_id)).status_code == 202

    row = await delivery(room.database, hook_id)
    assert (row.state, row.manual, row.attempts, row.attempts_before) == ("pending", False, 1, 0)
    assert row.due_at - room.now < MINUTE


async def test_delivery_is_freed_when_its_replica_died(room: Room) -> None:
    hook_id = await room.pending(claim=uuid.uuid4(), leased_until=room.now - MINUTE)

    assert (await room.retry(hook_id)).status_code == 202
    assert (await delivery(room.database, hook_id)).claim is None


async def test_waiting_delivery_gets_an_attempt_of_its_own_when_the_webhook_is_disabled(room: Room) -> None:
    hook_id = await room.pending()
    await room.set_state("disabled")

    assert (await room.retry(hook_id)).status_code == 202
    assert (await delivery(room.database, hook_id)).manual


async def test_retry_is_refused_when_an_attempt_is_under_way(room: Room) -> None:
    claim = uuid.uuid4()
    hook_id = await room.pending(claim=claim, leased_until=room.now + MINUTE)

    answer = await room.retry(hook_id)

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:coro:problem:wrong-delivery-state"
    assert (await delivery(room.database, hook_id)).claim == claim


@pytest.mark.parametrize("state", ["delivered", "discarded"])
async def test_retry_is_refused_with_the_reason_when_the_delivery_is_over(room: Room, state: str) -> None:
    hook_id = await room.stopped(state=state)

    answer = await room.retry(hook_id)

    assert answer.status_code == 409
    assert answer.json()["detail"].startswith(f"it is {state}")
    assert (await delivery(room.database, hook_id)).state == state
    assert await room.told() == []


async def test_retry_is_refused_when_the_webhook_is_expired_or_a_draft(room: Room) -> None:
    hook_id = await room.stopped()

    await room.set_state("expired")
    answer = await room.retry(hook_id)

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:coro:problem:wrong-state"
    original = await room.api.create(name="Original")
    async with room.database.write() as connection:
        mine = webhooks.c.id == uuid.UUID(room.webhook["id"])
        await connection.execute(update(webhooks).where(mine).values(state="draft", draft_of=uuid.UUID(original["id"])))
    assert (await room.retry(hook_id)).status_code == 409
    assert (await delivery(room.database, hook_id)).state == "failed"


async def test_one_retry_wins_when_several_are_asked_for_at_once(room: Room) -> None:
    hook_id = await room.stopped()

    answers = await asyncio.gather(*(room.retry(hook_id) for _ in range(5)))

    assert {answer.status_code for answer in answers} <= {202, 409}
    row = await delivery(room.database, hook_id)
    # The first restarts it; those who come later only find it due.
    assert (row.state, row.manual, row.attempts_before) == ("pending", True, 4)
    assert len(await room.told()) == [answer.status_code for answer in answers].count(202)


async def test_delivery_is_not_found_when_it_is_of_another_webhook_or_workspace(room: Room) -> None:
    hook_id = await room.stopped()
    other = await room.api.create(name="Other")
    foreign = await insert_delivery(room.database, other["id"], room.now - MINUTE)

    for unknown in (uuid.uuid4(), "x", foreign):
        answer = await room.retry(unknown)
        assert answer.status_code == 404
        assert answer.json()["type"] == "urn:coro:problem:no-such-delivery"
    assert (await room.retry(hook_id, workspace="acme-east")).status_code == 404
    assert (await delivery(room.database, hook_id)).state == "failed"


async def test_viewer_and_callers_of_other_trees_retry_nothing(room: Room) -> None:
    hook_id = await room.stopped()
    await insert_credential(room.database, client_id="viewer", role="viewer")
    await insert_credential(room.database, client_id="rival", workspace_id="rival")

    await room.api.sign_in("viewer")
    assert (await room.retry(hook_id)).status_code == 403
    await room.api.sign_in("rival")
    assert (await room.retry(hook_id)).status_code == 403
    assert (await room.retry(hook_id, workspace="rival")).status_code == 404
    assert (await delivery(room.database, hook_id)).state == "failed"
