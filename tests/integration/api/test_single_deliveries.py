"""One delivery with its attempts, its resend, and the figures of a webhook."""

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from coro_events.store.tables import webhooks
from coro_events.store.unit import Database
from services.api.history import sql
from tests.integration.api.calls import WEBHOOKS, Api, activities, insert_credential
from tests.integration.api.past import delivery, insert_attempt, insert_delivery
from tests.support.clock import FakeClock

MASK = "********"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
MINUTE = timedelta(minutes=1)

# Deliveries ten milliseconds apart.
FILL = text("""
    insert into deliveries (day, webhook_id, event_id, hook_id, workspace_id, state, due_at, created_at)
    select cast(m.at as date), :webhook_id, gen_random_uuid(), gen_random_uuid(), 'acme', 'delivered', m.at, m.at
    from (select cast(:newest as timestamptz) - i * interval '10 milliseconds' as at
          from generate_series(0, :count - 1) as i) as m
""")


class Room:
    """One webhook with headers of its own."""

    def __init__(self, api: Api, database: Database, clock: FakeClock, webhook: dict[str, Any]) -> None:
        self.api = api
        self.database = database
        self.clock = clock
        self.now = clock.now()
        self.id = webhook["id"]
        self.path = f"{WEBHOOKS}/{self.id}"

    async def made(self, **changes: Any) -> uuid.UUID:
        """Insert a delivered delivery of half an hour ago."""
        at = self.now - 30 * MINUTE
        values: dict[str, Any] = {"state": "delivered", "attempts": 1, "created_at": at} | changes
        return await insert_delivery(self.database, self.id, at, **values)

    async def resend(self, hook_id: object) -> Any:
        """Ask for a resend."""
        return await self.api.call("POST", f"{self.path}/deliveries/{hook_id}/resend")

    async def statistics(self, **params: Any) -> dict[str, Any]:
        """Ask for figures."""
        answer = await self.api.get(f"{self.path}/statistics", params=params)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


@pytest.fixture
async def room(api: Api, database: Database, clock: FakeClock) -> Room:
    """Return a webhook without deliveries."""
    return Room(api, database, clock, await api.create(headers={"X-Key": "a value of the customer"}))


async def test_delivery_shows_what_was_sent_and_answered_and_no_secret(room: Room) -> None:
    event = {"data": {"companyName": "Å"}, "workspace_id": "acme-east", "traceparent": TRACEPARENT}
    hook_id = await room.made(attempts=2, workspace_id="acme-east", event=event)
    await insert_attempt(
        room.database,
        hook_id,
        room.now,
        status=None,
        outcome="timed_out",
        error="Too slow.",
        response_head=None,
        response_body=None,
    )
    await insert_attempt(room.database, hook_id, room.now + MINUTE, number=2)

    answer = await room.api.get(f"{room.path}/deliveries/{hook_id}")

    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert json.loads(body["body"]) == {
        "id": str(hook_id),
        "timestamp": _ms(room.now - 30 * MINUTE),
        "workspaceId": "acme-east",
        "type": "workspace-created",
        "data": {"companyName": "Å"},
    }
    first, second = body["attempted"]
    assert first["headers"] == {
        "User-Agent": "Coro-Webhooks/1",
        "X-Key": MASK,
        "Content-Type": "application/json",
        "X-Coro-Hook-Id": str(hook_id),
        "X-Coro-Hook-Type": "workspace-created",
        "X-Coro-Signature": MASK,
        "webhook-id": str(hook_id),
        "webhook-timestamp": str(int(room.now.timestamp())),
        "webhook-signature": MASK,
        "traceparent": TRACEPARENT,
    }
    assert (first["outcome"], first["error"], first["response"]) == ("timed_out", "Too slow.", None)
    assert second["response"] == {"head": "HTTP/1.1 200 OK", "body": "thanks"}
    assert (second["number"], second["statusCode"], second["durationMs"]) == (2, 200, 12)
    assert "a value of the customer" not in answer.text


async def test_delivery_is_not_found_when_it_is_unknown_or_of_another_webhook(room: Room) -> None:
    other = await room.api.create(name="Other")
    foreign = await insert_delivery(room.database, other["id"], room.now)
    for unknown in (uuid.uuid4(), "x", foreign):
        answer = await room.api.get(f"{room.path}/deliveries/{unknown}")
        assert answer.status_code == 404
        assert answer.json()["type"] == "urn:coro:problem:no-such-delivery"


@pytest.mark.parametrize("webhook", ["enabled", "disabled"])
async def test_delivered_delivery_gets_one_more_attempt_of_its_own(room: Room, webhook: str) -> None:
    hook_id = await room.made(attempts=3)
    async with room.database.write() as connection:
        await connection.execute(update(webhooks).values(state=webhook))

    answer = await room.resend(hook_id)

    assert answer.status_code == 202, answer.text
    assert answer.json()["id"] == str(hook_id)
    row = await delivery(room.database, hook_id)
    assert (row.state, row.manual, row.attempts, row.attempts_before) == ("pending", True, 3, 3)
    told = [line for line in await activities(room.database, subject=room.id) if "resend" in line[0]]
    assert [(action, detail["hookId"]) for action, _, detail in told] == [("delivery.resend_requested", str(hook_id))]


@pytest.mark.parametrize("state", ["pending", "failed", "held", "discarded"])
async def test_resend_is_refused_with_the_way_out_when_it_was_not_delivered(room: Room, state: str) -> None:
    hook_id = await room.made(state=state)

    answer = await room.resend(hook_id)

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:coro:problem:wrong-delivery-state"
    assert answer.json()["detail"].startswith(f"it is {state}")
    assert (await delivery(room.database, hook_id)).state == state


async def test_resend_is_refused_when_the_webhook_is_expired_or_the_caller_a_viewer(room: Room) -> None:
    hook_id = await room.made()
    async with room.database.write() as connection:
        await connection.execute(update(webhooks).values(state="expired"))

    assert (await room.resend(hook_id)).json()["type"] == "urn:coro:problem:wrong-state"
    await insert_credential(room.database, client_id="viewer", role="viewer")
    await room.api.sign_in("viewer")
    assert (await room.resend(hook_id)).status_code == 403


async def test_figures_are_empty_when_nothing_was_delivered(room: Room) -> None:
    figures = await room.statistics()

    assert (figures["deliveries"], figures["successRate"], figures["p95Ms"]) == (0, None, None)
    assert figures["complete"]
    assert len(figures["hours"]) in {24, 25}


async def test_figures_tell_rate_durations_and_volume_by_the_hour(room: Room) -> None:
    for number in range(20):
        hook_id = await room.made(state="failed" if number < 5 else "delivered")
        await insert_attempt(room.database, hook_id, room.now, duration_ms=(number + 1) * 10)
    await room.made(state="pending", attempts=0)
    await room.made(kind="test", event={"type": "test"})
    old = await room.made(created_at=room.now - 30 * 60 * MINUTE)

    figures = await room.statistics()

    assert (figures["deliveries"], figures["delivered"], figures["failed"]) == (21, 15, 5)
    assert (figures["successRate"], figures["attempts"]) == (0.75, 20)
    assert (figures["p50Ms"], figures["p95Ms"]) == (100, 190)
    (busy,) = [hour for hour in figures["hours"] if hour["deliveries"]]
    made_at = room.now - 30 * MINUTE
    assert busy == {
        "hour": _ms(made_at.replace(minute=0, second=0, microsecond=0)),
        "deliveries": 21,
        "delivered": 15,
        "failed": 5,
        "attempts": 20,
        "p50Ms": 100,
        "p95Ms": 190,
    }
    assert (await room.statistics(since=_ms(room.now - 31 * 60 * MINUTE)))["deliveries"] == 22, old
    assert (await room.statistics(since=_ms(room.now - MINUTE)))["deliveries"] == 0


@pytest.mark.parametrize("days", [-1, 32])
async def test_figures_are_refused_when_the_time_is_in_the_future_or_too_long_ago(room: Room, days: int) -> None:
    since = _ms(room.now - timedelta(days=days))
    answer = await room.api.get(f"{room.path}/statistics", params={"since": since})
    assert answer.status_code == 400
    assert [fault["field"] for fault in answer.json()["errors"]] == ["since"]


async def test_figures_count_the_latest_alone_and_say_so_when_there_are_too_many(room: Room) -> None:
    at = room.now - 2 * 60 * MINUTE
    async with room.database.write() as connection:
        await connection.execute(FILL, {"webhook_id": uuid.UUID(room.id), "count": sql.COUNTED + 10, "newest": at})

    figures = await room.statistics()

    assert figures["deliveries"] == sql.COUNTED
    assert not figures["complete"]
    assert figures["since"] == _ms(at - (sql.COUNTED - 1) * timedelta(milliseconds=10))


def _ms(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
