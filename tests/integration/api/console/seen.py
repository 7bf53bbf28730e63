"""Webhooks with a history, and what a page says of them."""

import uuid
from datetime import timedelta
from typing import Any

from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from tests.integration.api.console.browsing import WEBHOOKS
from tests.integration.api.past import insert_attempt, insert_delivery
from tests.support.clock import FakeClock
from tests.support.makers import StoredWebhook, insert_webhook

NASTY = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'`</pre></textarea>{{7*7}}"


def page_of(webhook: StoredWebhook, *steps: str) -> str:
    """Return the address of something about a webhook."""
    return "/".join((WEBHOOKS, str(webhook.id), *steps))


async def insert_delivered(database: Database, webhook: StoredWebhook, clock: FakeClock, **changes: Any) -> uuid.UUID:
    """Insert a delivery that arrived at the first attempt, a minute ago."""
    at = clock.now() - timedelta(minutes=1)
    attempt = changes.pop("attempt", {})
    values: dict[str, Any] = {"state": "delivered", "attempts": 1, "created_at": at} | changes
    hook_id = await insert_delivery(database, webhook.id, at, **values)
    await insert_attempt(database, hook_id, at, **attempt)
    return hook_id


async def webhook_with_past(database: Database, vault: Vault, clock: FakeClock, **changes: Any) -> StoredWebhook:
    """Insert a webhook of `acme` that has a delivery."""
    webhook = await insert_webhook(database, vault, **{"name": "Billing"} | changes)
    await insert_delivered(database, webhook, clock)
    return webhook
