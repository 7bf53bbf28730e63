"""What happened before: events and deliveries as the dispatcher leaves them."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from coro_events.store.tables import attempts, deliveries, events, replays
from coro_events.store.unit import Database

CREATED = "workspace-created"


async def insert_event(database: Database, occurred_at: datetime, **changes: Any) -> uuid.UUID:
    """Insert an event that was received a second after it happened, by default one of `acme`."""
    event_id = uuid.uuid4()
    values = {
        "day": occurred_at.date(),
        "id": event_id,
        "source": "coro/tests",
        "source_id": str(event_id),
        "workspace_id": "acme",
        "type": CREATED,
        "occurred_at": occurred_at,
        "received_at": occurred_at + timedelta(seconds=1),
        "data": {},
    } | changes
    async with database.write() as connection:
        await connection.execute(insert(events).values(values))
    return event_id


async def insert_delivery(
    database: Database,
    webhook_id: uuid.UUID | str,
    occurred_at: datetime,
    *,
    event: dict[str, Any] | None = None,
    **changes: Any,
) -> uuid.UUID:
    """Insert an event and its delivery, by default one that failed two seconds later; return the hook id."""
    event_id, hook_id = await insert_event(database, occurred_at, **event or {}), uuid.uuid4()
    values = {
        "day": occurred_at.date(),
        "webhook_id": uuid.UUID(str(webhook_id)),
        "event_id": event_id,
        "hook_id": hook_id,
        "workspace_id": "acme",
        "state": "failed",
        "attempts": 4,
        "due_at": occurred_at,
        "finished_at": occurred_at + timedelta(seconds=2),
    } | changes
    async with database.write() as connection:
        await connection.execute(insert(deliveries).values(values))
    return hook_id


async def insert_attempt(database: Database, hook_id: uuid.UUID, started_at: datetime, **changes: Any) -> None:
    """Insert an attempt of a delivery, by default its first, which the receiver answered with 200 within 12 ms."""
    row = await delivery(database, hook_id)
    values = {
        "day": row.day,
        "hook_id": hook_id,
        "number": 1,
        "webhook_id": row.webhook_id,
        "started_at": started_at,
        "duration_ms": 12,
        "outcome": "delivered",
        "status": 200,
        "response_head": "HTTP/1.1 200 OK",
        "response_body": "thanks",
    } | changes
    async with database.write() as connection:
        await connection.execute(insert(attempts).values(values))


async def delivery(database: Database, hook_id: uuid.UUID) -> Any:
    """Return a delivery's row."""
    async with database.read() as connection:
        return await connection.row(select(deliveries).where(deliveries.c.hook_id == hook_id))


async def stored_replays(database: Database) -> list[Any]:
    """Return all rows of replays."""
    async with database.read() as connection:
        return list(await connection.rows(select(replays)))
