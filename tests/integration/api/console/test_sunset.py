"""A version that expires, at the console: told a week before, compared, published and taken back."""

import re
from datetime import timedelta

import pytest

from coro_events.store.releasing import release_version
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from tests.integration.api.console.browsing import WEBHOOKS, Browser, text_of
from tests.integration.api.console.seen import page_of, webhook_with_past
from tests.support.clock import FakeClock
from tests.support.makers import StoredWebhook

BEFORE = timedelta(days=3)


@pytest.fixture
async def old(browser: Browser, database: Database, vault: Vault, clock: FakeClock) -> StoredWebhook:
    """Return a webhook of version 1, after the release of version 2."""
    del browser
    async with database.write() as connection:
        now = clock.now()
        await release_version(connection, 2, at=None, now=now, actor="system:tests", source="coro/tests")
    return await webhook_with_past(database, vault, clock)


async def to_the_last_days(browser: Browser, old: StoredWebhook, clock: FakeClock) -> None:
    """Let time pass until three days before the expiry, and sign in."""
    (iso,) = set(re.findall(r'class="expiry" datetime="([^"]+)"', (await browser.get(page_of(old))).text))
    expires_at = clock.now().fromisoformat(iso)
    clock.set(expires_at - BEFORE)
    await browser.sign_in("administrator@acme.example")


async def test_draft_is_made_published_and_taken_back(browser: Browser, old: StoredWebhook) -> None:
    assert "Make a draft of version 2" in text_of(await browser.get(page_of(old)))
    text = await browser.follow(await browser.post(page_of(old, "draft")))
    assert "A draft of the newest version is made." in text
    page = await browser.get(page_of(old))
    (draft,) = set(re.findall(rf"{WEBHOOKS}/([0-9a-f-]{{36}})/publish", page.text))
    assert "&#34;version&#34;: 2" in (await browser.get(page_of(old, "preview"))).text

    text = await browser.follow(await browser.post(f"{WEBHOOKS}/{draft}/publish"))
    assert "The draft is published" in text
    assert "Switch back to version 1" in text
    text = text_of(await browser.get(page_of(old)))
    assert "See the webhook that took over" in text
    assert "Make a draft" not in text
    text = await browser.follow(await browser.post(f"{WEBHOOKS}/{draft}/switch-back"))
    assert "Switched back" in text
    text = await browser.follow(await browser.post(f"{WEBHOOKS}/{draft}/discard"))
    assert "The draft is discarded." in text
    assert (await browser.post(page_of(old, "discard"))).status_code == 409


async def test_last_week_is_told_on_every_visit_and_pops_up_once_a_sign_in(
    browser: Browser, old: StoredWebhook, clock: FakeClock
) -> None:
    assert "about to expire" not in (await browser.get(WEBHOOKS)).text
    await to_the_last_days(browser, old, clock)
    # Signing in opened the list once.
    page = await browser.get(WEBHOOKS)
    assert "A webhook version is about to expire" in page.text
    assert "data-pops-up" not in page.text
    page = await browser.get(page_of(old))
    assert "24 hours later this webhook is disabled" in text_of(page)

    await browser.http.post(
        "/portal/sign-in",
        data={"email": "administrator@acme.example", "password": "correct horse battery staple"},
        headers={"Origin": "http://api.test"},
    )
    assert "data-pops-up" in (await browser.get(WEBHOOKS)).text
    assert "data-pops-up" not in (await browser.get(WEBHOOKS)).text


async def test_viewer_is_told_and_has_nothing_pop_up(browser: Browser, old: StoredWebhook, clock: FakeClock) -> None:
    await to_the_last_days(browser, old, clock)
    await browser.http.post(
        "/portal/sign-in",
        data={"email": "viewer@acme.example", "password": "correct horse battery staple"},
        headers={"Origin": "http://api.test"},
    )
    page = await browser.get(WEBHOOKS)
    assert "A webhook version is about to expire" in page.text
    assert "data-pops-up" not in page.text
