"""One maker a thing: valid as it comes, and changed by keyword."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from coro_events.contract.envelope import Event
from coro_events.contract.triggers import Trigger
from coro_events.contract.workspaces import WorkspaceCreated
from coro_events.runtime.keys import parse_keys
from coro_events.store.tables import webhooks, workspaces
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from tests.support.clock import START

TEST_KEYS = "test:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def make_vault(keys: str = TEST_KEYS) -> Vault:
    """Make a vault with made-up keys."""
    return Vault(parse_keys(keys, setting="CORO_SECRET_KEYS"))


def make_event(**changes: Any) -> Event:
    """Make an event, by default `workspace-created` in workspace `acme` at the start of the fake clock.

    Each call makes another event; pass `source_id` for a repeat.
    """
    values: dict[str, Any] = {
        "source": "coro/tests",
        "source_id": uuid.uuid4().hex,
        "trigger": Trigger.WORKSPACE_CREATED,
        "workspace_id": "acme",
        "occurred_at": START,
    } | changes
    if "data" not in values:
        created = WorkspaceCreated.example().model_copy(update={"id": values["workspace_id"]})
        values["data"] = created.to_bytes()
    return Event(**values)


async def insert_workspace(database: Database, workspace_id: str, parent: str | None = None, **changes: Any) -> str:
    """Insert a workspace under its parent, which must be there already; return its id."""
    async with database.write() as connection:
        above: list[str] = []
        if parent is not None:
            above = await connection.scalar(select(workspaces.c.path).where(workspaces.c.id == parent))
            assert above, f"there is no workspace {parent!r} to put {workspace_id!r} under"
        values = {
            "id": workspace_id,
            "parent_id": parent,
            "path": [*above, workspace_id],
            "type": "channel" if parent is None else "child",
            "display_name": f"Workspace {workspace_id}",
            "status": "subscription",
        } | changes
        await connection.execute(insert(workspaces).values(values))
    return workspace_id


@dataclass(frozen=True, slots=True)
class StoredWebhook:
    """A webhook that a maker inserted.

    Attributes:
        secret: In the clear, as the receiver knows it.
        headers: Its own headers, in the clear.
    """

    id: uuid.UUID
    workspace_id: str
    url: str
    secret: str
    headers: dict[str, str]


async def insert_webhook(database: Database, vault: Vault, **changes: Any) -> StoredWebhook:
    """Insert a webhook; its workspace must be there already.

    Args:
        database: Where to.
        vault: Seals the secret and the headers.
        changes: Columns by name, and `secret` and `headers` in the clear.
    """
    webhook_id = changes.pop("id", None) or uuid.uuid4()
    secret = changes.pop("secret", "0123456789abcdef0123456789abcdef")
    headers: dict[str, str] = changes.pop("headers", {})
    values: dict[str, Any] = {
        "id": webhook_id,
        "workspace_id": "acme",
        "version": 1,
        "name": f"Webhook {webhook_id}",
        "url": "http://127.0.0.1:9/hook",
        "apply_to_all_descendants": False,
        "triggers": [Trigger.WORKSPACE_CREATED.value],
        "secret_sealed": vault.seal(secret, row=str(webhook_id), field="secret"),
        "headers_sealed": vault.seal(json.dumps(headers), row=str(webhook_id), field="headers") if headers else None,
        "state": "enabled",
    } | changes
    async with database.write() as connection:
        await connection.execute(insert(webhooks).values(values))
    return StoredWebhook(
        id=webhook_id, workspace_id=values["workspace_id"], url=values["url"], secret=secret, headers=headers
    )
