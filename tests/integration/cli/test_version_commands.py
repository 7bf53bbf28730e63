"""`coro versions` on real PostgreSQL."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from coro_events.contract.cloudevents import STRUCTURED_HEADERS
from coro_events.contract.webhook_events import VersionReleased, decode_webhook_event
from coro_events.rules.sunset import add_months
from coro_events.runtime.clock import SystemClock
from coro_events.store.tables import activity_log, outbox, webhook_versions
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from tests.integration.cli.commands import coro, told, why_not
from tests.support.makers import insert_webhook, insert_workspace
from tests.unit.cli.running import refused

pytestmark = pytest.mark.usefixtures("with_database")


async def lives(database: Database) -> dict[int, Any]:
    """Return the rows of the versions."""
    async with database.read() as connection:
        return {row.version: row for row in await connection.rows(select(webhook_versions))}


async def test_version_is_released_once_and_told_in_every_tree(database: Database) -> None:
    await insert_workspace(database, "msp")
    await insert_workspace(database, "shop", parent="msp")
    await insert_workspace(database, "other")

    (released,) = await coro("versions", "release", "2")
    (again,) = await coro("versions", "release", "2", "--at", released["released"])
    (once_more,) = await coro("versions", "release", "2")

    rows = await lives(database)
    assert rows[1].expires_at == add_months(rows[2].released_at, 6)
    assert (released["changed"], again["changed"], once_more["changed"]) == (True, False, False)
    assert released["previous_version"] == 1
    assert again | {"changed": True} == once_more | {"changed": True} == released
    async with database.read() as connection:
        activities = await connection.rows(select(activity_log).order_by(activity_log.c.workspace_id))
        (message,) = await connection.rows(select(outbox))
    assert [(row.workspace_id, row.actor, row.action, row.subject) for row in activities] == [
        ("msp", "system:cli", "version.released", "2"),
        ("other", "system:cli", "version.released", "2"),
    ]
    event = decode_webhook_event(_bytes(message.message), STRUCTURED_HEADERS)
    assert isinstance(event.data, VersionReleased)
    assert event.occurred_at == rows[2].released_at
    assert (event.data.version, event.data.previous_version) == (2, 1)
    assert event.data.previous_expires == activities[0].detail["previousExpires"]
    assert (message.topic, message.key) == ("coro.webhooks", "")


def _bytes(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()


async def test_release_is_planned_when_its_time_is_ahead(database: Database) -> None:
    at = (SystemClock().now() + timedelta(days=30)).isoformat()

    assert "version 1 expires at" in await told("versions", "release", "2", "--at", at)

    assert (await lives(database))[1].expires_at is not None
    _, two = await coro("versions", "list")
    assert two["status"] == "planned"
    assert "that cannot be changed" in await why_not("versions", "release", "2")


async def test_release_is_refused_with_a_sentence_when_it_is_nonsense(database: Database) -> None:
    assert await why_not("versions", "release", "9") == "there is no webhook version 9; there are 1, 2."
    now = SystemClock().now()
    too_late = await asyncio.to_thread(
        refused, "versions", "release", "2", "--at", (now - timedelta(days=2)).isoformat(), code=2
    )
    assert too_late == "--at must not lie more than a day in the past."
    assert "RFC 3339" in await asyncio.to_thread(refused, "versions", "release", "2", "--at", "soon", code=2)
    async with database.write() as connection:
        await connection.execute(insert(webhook_versions).values(version=3))
    assert "release that one first" in await why_not("versions", "release", "3")
    assert (await lives(database))[2].released_at is None


async def test_list_shows_who_still_uses_a_version(database: Database, vault: Vault) -> None:
    for workspace in ("msp", "other"):
        await insert_workspace(database, workspace)
    first = await insert_webhook(database, vault, workspace_id="msp")
    await insert_webhook(database, vault, workspace_id="msp", state="disabled", disabled_reason="by hand")
    await insert_webhook(database, vault, workspace_id="other")
    await insert_webhook(database, vault, workspace_id="other", state="expired")
    await insert_webhook(
        database, vault, workspace_id="other", state="disabled", disabled_reason="replaced", replaced_by=first.id
    )
    await insert_webhook(database, vault, workspace_id="msp", version=2, state="draft", draft_of=first.id)

    one, two = await coro("versions", "list")

    assert (one["webhooks"], one["workspaces"]) == (3, 2)
    assert (two["webhooks"], two["workspaces"]) == (0, 0)
    assert (one["status"], two["status"], two["released"]) == ("released", "unreleased", None)
    shown = await told("versions", "list")
    assert "unreleased" in shown
    assert "workspaces" in shown
