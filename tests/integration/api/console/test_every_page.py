"""Every page beyond the list: it opens, is small, and is refused to those of another tree."""

import pytest

from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from tests.integration.api.console.browsing import Browser, text_of
from tests.integration.api.console.seen import page_of, webhook_with_past
from tests.support.clock import FakeClock

OF_A_WEBHOOK = ("", "/replay", "/rotate", "/explain", "/verify", "/preview")
FOR_ADMINISTRATORS = {"/replay", "/rotate"}
OF_A_WORKSPACE = ("/portal/overview", "/portal/overview?show=all", "/portal/activity", "/portal/activity.csv")
CREDENTIALS = "/portal/settings/connectors/api-credentials"
MAX_BYTES = 100_000


@pytest.mark.parametrize("step", OF_A_WEBHOOK)
async def test_page_of_a_webhook_opens_for_its_tree_only(
    browser: Browser, database: Database, vault: Vault, clock: FakeClock, step: str
) -> None:
    webhook = await webhook_with_past(database, vault, clock)
    foreign = await webhook_with_past(database, vault, clock, workspace_id="rival")

    page = await browser.get(page_of(webhook) + step)
    assert page.status_code == 200, text_of(page)
    assert len(page.content) < MAX_BYTES
    assert "style=" not in page.text
    assert (await browser.get(page_of(foreign) + step)).status_code == 404
    assert (await browser.get(page_of(foreign) + step, params={"workspace": "rival"})).status_code == 403
    assert (await browser.get(f"/portal/settings/connectors/webhooks/nothing{step}")).status_code == 404

    await browser.sign_in("viewer@acme.example")
    status = 403 if step in FOR_ADMINISTRATORS else 200
    assert (await browser.get(page_of(webhook) + step)).status_code == status


@pytest.mark.parametrize("address", OF_A_WORKSPACE)
async def test_page_of_a_workspace_opens_for_its_tree_only(browser: Browser, address: str) -> None:
    page = await browser.get(address)
    assert page.status_code == 200, text_of(page)
    assert len(page.content) < MAX_BYTES
    assert (await browser.get(address, params={"workspace": "rival"})).status_code == 403


async def test_credentials_are_for_super_admins(browser: Browser) -> None:
    assert (await browser.get(CREDENTIALS)).status_code == 403
    assert CREDENTIALS not in (await browser.get("/portal/settings/connectors/webhooks")).text
    await browser.sign_in("super_admin@acme.example")
    assert CREDENTIALS in (await browser.get("/portal/settings/connectors/webhooks")).text
    page = await browser.get(CREDENTIALS)
    assert page.status_code == 200, text_of(page)
    assert (await browser.get(CREDENTIALS, params={"workspace": "rival"})).status_code == 403


@pytest.mark.parametrize(
    "step",
    [
        "replay",
        "rotate",
        "draft",
        "publish",
        "switch-back",
        "discard",
        "deliveries/5f1c1f6e-3f0c-4b55-9d3c-2a9e6c1f7d10/retry",
    ],
)
async def test_form_is_refused_to_viewers_strangers_and_other_sites(
    browser: Browser, database: Database, vault: Vault, clock: FakeClock, step: str
) -> None:
    webhook = await webhook_with_past(database, vault, clock)
    foreign = await webhook_with_past(database, vault, clock, workspace_id="rival")
    address = page_of(webhook, step)
    elsewhere = {"Origin": "https://evil.example"}

    assert (await browser.post(address, headers=elsewhere)).status_code == 403
    assert (await browser.post(address, {"csrf": "guessed"})).status_code == 403
    assert (await browser.post(page_of(foreign, step), {"since": "2026-11-24T10:00"})).status_code in {400, 404}
    await browser.sign_in("viewer@acme.example")
    assert (await browser.post(address)).status_code == 403


async def test_nobody_signed_in_is_led_to_sign_in(
    stranger: Browser, database: Database, vault: Vault, clock: FakeClock
) -> None:
    webhook = await webhook_with_past(database, vault, clock)
    for address in (page_of(webhook), page_of(webhook, "live"), *OF_A_WORKSPACE, CREDENTIALS):
        answer = await stranger.get(address)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/portal/sign-in")
