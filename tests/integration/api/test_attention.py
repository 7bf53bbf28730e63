"""What in a tree needs somebody: failing and disabled webhooks by workspace, and versions about to expire."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import update

from coro_events.store.tables import webhook_versions
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.api.access.roles import Role
from services.api.access.service import Caller
from services.api.attention.ports import Ailing, Totals
from services.api.attention.service import Attention
from services.api.attention.sql import SqlStandings
from tests.integration.api.past import insert_delivery
from tests.support.clock import FakeClock
from tests.support.makers import StoredWebhook, insert_webhook, insert_workspace


@pytest.fixture
async def attention(database: Database, clock: FakeClock) -> Attention:
    """Return the service over `acme` with two children, one of which has a child, and `rival` beside it."""
    await insert_workspace(database, "acme", display_name="Acme")
    await insert_workspace(database, "east", parent="acme", display_name="East")
    await insert_workspace(database, "east-1", parent="east", display_name="East One")
    await insert_workspace(database, "west", parent="acme", display_name="West")
    await insert_workspace(database, "rival")
    return Attention(standings=SqlStandings(database), clock=clock)


def caller(workspace_id: str = "acme") -> Caller:
    return Caller(client_id="billing", workspace_id=workspace_id, role=Role.VIEWER)


async def failing(database: Database, vault: Vault, clock: FakeClock, **changes: object) -> StoredWebhook:
    """Insert a webhook that waits for its second attempt."""
    webhook = await insert_webhook(database, vault, **changes)
    due_at = clock.now() + timedelta(minutes=1)
    await insert_delivery(
        database, webhook.id, clock.now(), state="pending", attempts=1, due_at=due_at, finished_at=None
    )
    return webhook


async def test_workspaces_in_need_come_first_and_name_their_webhooks(
    attention: Attention, database: Database, vault: Vault, clock: FakeClock
) -> None:
    await insert_webhook(database, vault, name="Fine")
    disabled = await insert_webhook(
        database, vault, workspace_id="west", name="Off", state="disabled", disabled_reason="all four attempts failed"
    )
    broken = await failing(database, vault, clock, workspace_id="east-1", name="Broken")
    await failing(database, vault, clock, workspace_id="rival", name="Not ours")

    found = await attention.overview(caller(), ailing_only=False, page=0, page_size=10)

    assert found.totals == Totals(workspaces=3, webhooks=3, failing=1, disabled=1, expired=0)
    assert [(one.workspace_id, one.failing, one.disabled) for one in found.items] == [
        ("east-1", 1, 0),
        ("west", 0, 1),
        ("acme", 0, 0),
    ]
    assert found.items[0].path == ("East", "East One")
    assert found.items[0].ailing == (Ailing(str(broken.id), "Broken", is_failing=True, reason=None),)
    assert found.items[1].ailing == (
        Ailing(str(disabled.id), "Off", is_failing=False, reason="all four attempts failed"),
    )


async def test_only_those_in_need_are_shown_on_request_page_by_page(
    attention: Attention, database: Database, vault: Vault
) -> None:
    await insert_webhook(database, vault, name="Fine")
    for workspace_id in ("east", "west"):
        await insert_webhook(database, vault, workspace_id=workspace_id, state="disabled")

    pages = [await attention.overview(caller(), ailing_only=True, page=page, page_size=1) for page in range(3)]

    assert [[one.workspace_id for one in page.items] for page in pages] == [["east"], ["west"], []]
    assert [page.found for page in pages] == [2, 2, 0]


async def test_child_sees_itself_and_what_is_below(
    attention: Attention, database: Database, vault: Vault, clock: FakeClock
) -> None:
    await failing(database, vault, clock, workspace_id="acme")
    await failing(database, vault, clock, workspace_id="east-1")
    found = await attention.overview(caller("east"), ailing_only=False, page=0, page_size=10)
    assert [one.path for one in found.items] == [("East One",)]


async def test_drafts_and_replaced_webhooks_do_not_count(
    attention: Attention, database: Database, vault: Vault
) -> None:
    now = await insert_webhook(database, vault, name="Now")
    await insert_webhook(database, vault, name="Then", state="disabled", replaced_by=now.id)
    await insert_webhook(database, vault, name="Next", state="draft", draft_of=now.id, version=2)
    found = await attention.overview(caller(), ailing_only=False, page=0, page_size=10)
    assert found.totals == Totals(workspaces=1, webhooks=1, failing=0, disabled=0, expired=0)


@pytest.mark.parametrize(("days", "is_told"), [(6.9, True), (-0.5, True), (7.1, False)])
async def test_version_is_told_in_its_last_week(
    attention: Attention, database: Database, vault: Vault, clock: FakeClock, *, days: float, is_told: bool
) -> None:
    async with database.write() as connection:
        at = clock.now() + timedelta(days=days)
        await connection.execute(update(webhook_versions).where(webhook_versions.c.version == 1).values(expires_at=at))
    webhook = await insert_webhook(database, vault, workspace_id="east", name="Old")
    draft_id = uuid.uuid4()
    await insert_webhook(
        database, vault, id=draft_id, workspace_id="east", state="draft", draft_of=webhook.id, version=2
    )
    await insert_webhook(database, vault, workspace_id="east", state="disabled")

    soon = await attention.expiring(caller())

    assert soon.total == is_told
    told = [(one.webhook_id, one.name, one.display_name, one.draft_id) for one in soon.items]
    assert told == [(str(webhook.id), "Old", "East", str(draft_id))] * is_told
