"""Webhooks of a test's workspace with a history that did not have to be waited for."""

import json
import random
import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from coro_events.runtime.clock import SystemClock
from coro_events.store.tables import webhook_versions
from coro_events.store.unit import Database
from tests.end_to_end.console.console import WEBHOOKS, Console
from tests.integration.api.past import insert_attempt, insert_delivery
from tests.support.makers import StoredWebhook, insert_webhook, make_vault

NASTY = "<script>document.body.id='broken'</script><img src=x onerror=document.body.id='broken'>\"'`</pre>{{7*7}}"
TYPES = ("workspace-created", "protected-users-added", "subscription-updated")
# A version that nobody can create a webhook of, so that it changes nothing for other tests.
ENDING = 77


def address(console: Console, webhook: StoredWebhook, *steps: str) -> str:
    """Return the whole address of something about a webhook."""
    return console.at("/".join((WEBHOOKS, str(webhook.id), *steps)))


async def stored(console: Console, **changes: Any) -> StoredWebhook:
    """Insert a webhook of the workspace."""
    values = {"workspace_id": console.workspace.id, "name": "Billing", "headers": {"Authorization": "Bearer x"}}
    return await insert_webhook(console.rows, make_vault(), **values | changes)


async def delivered(console: Console, webhook: StoredWebhook, **changes: Any) -> uuid.UUID:
    """Insert a delivery that arrived at the first attempt, some minutes ago."""
    at = SystemClock().now() - timedelta(minutes=changes.pop("minutes_ago", 1))
    attempt = changes.pop("attempt", {})
    event = {"workspace_id": console.workspace.id, "data": {"protectedCount": 12}} | changes.pop("event", {})
    values = {"state": "delivered", "attempts": 1, "created_at": at, "workspace_id": console.workspace.id} | changes
    hook_id = await insert_delivery(console.rows, webhook.id, at, event=event, **values)
    await insert_attempt(console.rows, hook_id, at, **attempt)
    return hook_id


async def failed(console: Console, webhook: StoredWebhook, *, answer: str = "no such customer") -> uuid.UUID:
    """Insert a delivery that was given up after four attempts."""
    at = SystemClock().now() - timedelta(minutes=90)
    event = {"workspace_id": console.workspace.id, "data": {"displayName": answer, "protectedCount": 12}}
    hook_id = await insert_delivery(
        console.rows, webhook.id, at, event=event, created_at=at, workspace_id=console.workspace.id
    )
    for number, (after_s, duration_ms) in enumerate(((0, 312), (61, 10_000), (540, 280), (4_400, 95)), 1):
        what: dict[str, Any] = {"outcome": "receiver_failed", "status": 503, "error": "The receiver failed."}
        if number == 2:
            what = {"outcome": "timed_out", "status": None, "error": "The receiver did not answer in time."}
            what |= {"response_head": None, "response_body": None}
        else:
            what |= {"response_head": f"HTTP/1.1 503 Gone wrong\r\nX-Said: {answer}"}
            what |= {"response_body": json.dumps({"error": answer})}
        await insert_attempt(
            console.rows, hook_id, at + timedelta(seconds=after_s), number=number, duration_ms=duration_ms, **what
        )
    return hook_id


async def busy(console: Console, **changes: Any) -> StoredWebhook:
    """Insert a webhook with a day of deliveries, of which the oldest failed."""
    webhook = await stored(console, apply_to_all_descendants=True, **changes)
    chance = random.Random(4)
    for number in range(60):
        minutes = number * 23 + 1
        kind = {"event": {"type": TYPES[number % 3]}, "minutes_ago": minutes}
        await delivered(console, webhook, **kind, attempt={"duration_ms": chance.randint(20, 400)})
    await failed(console, webhook)
    return webhook


async def insert_ending_version(rows: Database) -> None:
    """Insert a version that ends in three days."""
    values = {"version": ENDING, "released_at": None, "expires_at": SystemClock().now() + timedelta(days=3)}
    async with rows.write() as connection:
        await connection.execute(insert(webhook_versions).values(values))
