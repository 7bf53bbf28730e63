"""What a page costs where there is much: 1,000 webhooks, 10,000 workspaces, busy deliveries."""

import time
import uuid

import pytest
from sqlalchemy import text

from coro_events.contract.triggers import Trigger
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from tests.integration.api.console.browsing import WEBHOOKS, Browser
from tests.support.makers import insert_webhook

MOST_BYTES = 100_000
MOST_S = 0.1
# The best of many: what else runs on the machine is not what is measured.
MOST_LOOKS = 60

_WORKSPACES = text("""
    insert into workspaces (id, parent_id, path, type, display_name, status)
    select 'customer-' || i, 'acme', array['acme', 'customer-' || i], 'child', 'Customer number ' || i, 'subscription'
    from generate_series(1, 10000) as i
""")
# A copy of the one that was inserted, which lends it its seals; nobody opens them here.
_WEBHOOKS = text("""
    insert into webhooks (id, workspace_id, version, name, description, url, apply_to_all_descendants, triggers,
        secret_sealed, state)
    select gen_random_uuid(), w.workspace_id, w.version, 'Webhook number ' || i, repeat('described ', 50),
        w.url || repeat('/long', 200), true, :triggers, w.secret_sealed, 'enabled'
    from webhooks w cross join generate_series(1, 999) as i where w.id = :id
""")
# Two thousand an hour for those on the first page.
_DELIVERIES = text("""
    insert into deliveries (day, webhook_id, event_id, hook_id, workspace_id, state, due_at, created_at, finished_at)
    select cast(m.at as date), m.id, gen_random_uuid(), gen_random_uuid(), 'acme',
           case when m.i % 10 = 0 then 'failed' else 'delivered' end, m.at, m.at, m.at
    from (
        select w.id, i, now() - i * interval '20 seconds' as at
        from (select id from webhooks order by created_at desc, id limit 12) w cross join generate_series(0, 4000) as i
    ) as m
""")


@pytest.fixture
async def much(browser: Browser, database: Database, vault: Vault) -> Browser:
    """Return an administrator's browser where there is much to show."""
    first = await insert_webhook(database, vault)
    triggers = [trigger.value for trigger in Trigger]
    async with database.write() as connection:
        await connection.execute(_WORKSPACES)
        await connection.execute(_WEBHOOKS, {"id": uuid.UUID(str(first.id)), "triggers": triggers})
        await connection.execute(_DELIVERIES)
    async with database.autocommit() as connection:
        await connection.execute(text("analyze"))
    return browser


@pytest.mark.parametrize(
    "address",
    [
        WEBHOOKS,
        f"{WEBHOOKS}?page=50",
        f"{WEBHOOKS}?search=number+9&state=enabled&sort=name",
        f"{WEBHOOKS}/new",
        "/portal/workspaces",
        "/portal/workspaces?search=number+77&part=1",
        "/portal/workspaces?page=500",
    ],
)
async def test_page_is_small_and_made_quickly(much: Browser, address: str) -> None:
    best_s = float("inf")
    for _ in range(MOST_LOOKS):
        begun_s = time.perf_counter()
        page = await much.get(address)
        best_s = min(best_s, time.perf_counter() - begun_s)
        assert page.status_code == 200
        assert len(page.content) < MOST_BYTES
        if best_s < MOST_S:
            return
    raise AssertionError(f"{address} took {best_s * 1000:.0f} ms")
