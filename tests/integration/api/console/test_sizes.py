"""No page outgrows a slow line where there is much to show; what pages take is measured by `make bench`."""

import uuid

import pytest

from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from tests.integration.api.console.browsing import WEBHOOKS, Browser
from tests.integration.api.console.seen import page_of, webhook_with_past
from tests.support.clock import FakeClock
from tests.support.crowds import insert_busy_past, insert_many_webhooks
from tests.support.makers import StoredWebhook, insert_webhook

MOST_BYTES = 100_000


@pytest.fixture
async def much(browser: Browser, database: Database, vault: Vault) -> Browser:
    """Return an administrator's browser where there are many webhooks."""
    await insert_many_webhooks(database, uuid.UUID(str((await insert_webhook(database, vault)).id)))
    return browser


@pytest.fixture
async def busy(browser: Browser, database: Database, vault: Vault, clock: FakeClock) -> StoredWebhook:
    """Return a webhook with 20,000 deliveries within a day, where there is much besides."""
    del browser
    webhook = await webhook_with_past(database, vault, clock, apply_to_all_descendants=True)
    await insert_busy_past(database, uuid.UUID(str(webhook.id)))
    return webhook


async def size_of(browser: Browser, address: str) -> int:
    page = await browser.get(address)
    assert page.status_code == 200, address
    return len(page.content)


async def test_lists_are_small_where_there_are_many(much: Browser) -> None:
    addresses = [
        WEBHOOKS,
        f"{WEBHOOKS}?page=50",
        f"{WEBHOOKS}?search=number+9&state=enabled&sort=name",
        f"{WEBHOOKS}/new",
        "/portal/workspaces",
        "/portal/workspaces?search=number+77&part=1",
        "/portal/workspaces?page=500",
    ]
    sizes = {address: await size_of(much, address) for address in addresses}
    assert max(sizes.values()) < MOST_BYTES, sizes


async def test_pages_of_a_busy_webhook_and_of_a_large_tree_are_small(browser: Browser, busy: StoredWebhook) -> None:
    await browser.sign_in("super_admin@acme.example")
    of_a_webhook = ["", "/replay", "/rotate", "/explain", "/verify", "/preview"]
    of_a_workspace = ["overview", "overview?show=all&page=3", "activity", "settings/connectors/api-credentials"]
    addresses = [page_of(busy) + step for step in of_a_webhook] + [f"/portal/{one}" for one in of_a_workspace]
    sizes = {address: await size_of(browser, address) for address in addresses}
    assert max(sizes.values()) < MOST_BYTES, sizes
