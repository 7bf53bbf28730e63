"""What people do beyond the list: watch deliveries, send again, replay, rotate, publish, and look after the tree."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from playwright.async_api import Page, expect
from sqlalchemy import delete

from coro_events.contract.envelope import Event
from coro_events.contract.triggers import rest_name
from coro_events.store.tables import webhook_versions, webhooks
from tests.end_to_end.console.console import WEBHOOKS, Console
from tests.end_to_end.console.history import (
    ENDING,
    NASTY,
    address,
    busy,
    delivered,
    failed,
    insert_ending_version,
    stored,
)
from tests.end_to_end.workspace import COUNT_UPDATED
from tests.support.receiver import Receiver

CREDENTIALS = "/portal/settings/connectors/api-credentials"
COUNTED = "Protected users count updated"


async def emitted(console: Console, count: int) -> Event:
    return await console.workspace.count(count)


async def test_story_from_the_first_delivery_over_a_broken_receiver_to_the_replay(
    page: Page, console: Console, receiver: Receiver
) -> None:
    only = [rest_name(COUNT_UPDATED, 1)]
    webhook = await console.workspace.webhook(receiver.url(), name="Billing", triggers=only)
    await receiver.until(1)
    await page.goto(console.at())
    await page.locator(".row summary").click()
    await page.get_by_role("link", name="Deliveries and figures").click()
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    rows = page.locator(".grid-row")
    await expect(rows).to_have_count(1)

    await emitted(console, 1)
    row = page.locator(".grid-row", has_text=COUNTED)
    await expect(row.first).to_contain_text("Delivered")
    await expect(rows).to_have_count(2)

    receiver.answers["/ok"] = "/status/503"
    await emitted(console, 2)
    await expect(page.locator(".grid-row", has_text="Failed")).to_contain_text("503", timeout=20_000)
    await page.reload()
    await expect(page.locator(".under-title")).to_contain_text("Disabled")
    await emitted(console, 3)

    del receiver.answers["/ok"]
    await page.get_by_role("button", name="Enable").click()
    await expect(page.get_by_text("The webhook is enabled.")).to_be_visible()
    await page.goto(console.at(f"{WEBHOOKS}/{webhook['id']}"))
    await page.get_by_role("link", name="Replay").click()
    await page.get_by_role("button", name="Count first").click()
    await expect(page.get_by_text("This would send 2 deliveries:")).to_be_visible()
    await expect(page.locator(".count-parts")).to_have_text("1 missed, 0 held back, 1 failed.")
    await page.get_by_role("button", name="Send 2 again").click()
    await expect(page.locator("#replays")).to_contain_text("Done")
    await expect(page.locator("#replays")).to_contain_text("2 of 2")
    found = {one.json()["data"].get("protectedCount") for one in await receiver.until(8)}
    assert {1, 2, 3} <= found


async def test_retry_and_resend_show_their_attempt_by_themselves(
    page: Page, console: Console, receiver: Receiver
) -> None:
    webhook = await stored(console, url=receiver.url(), triggers=[COUNT_UPDATED.value])
    hook_id = await failed(console, webhook)
    await page.goto(address(console, webhook))
    await page.get_by_role("link", name="Workspace created").click()
    await expect(page.get_by_role("heading", name="Attempt 4")).to_be_visible()
    await page.get_by_role("button", name="Retry now").click()
    await expect(page.get_by_role("heading", name="Attempt 5")).to_be_visible()
    await page.get_by_role("button", name="Resend").click()
    await expect(page.get_by_role("heading", name="Attempt 6")).to_be_visible()
    assert [one.hook_id for one in await receiver.until(2)] == [str(hook_id)] * 2
    await page.reload()
    assert len(receiver.received) == 2


async def test_live_list_keeps_the_focus_and_tells_of_what_is_new(
    page: Page, console: Console, receiver: Receiver
) -> None:
    webhook = await stored(console, url=receiver.url(), triggers=[COUNT_UPDATED.value])
    await delivered(console, webhook)
    await page.goto(address(console, webhook))
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    link = page.get_by_role("link", name="Workspace created")
    await link.focus()
    await emitted(console, 7)
    await expect(page.locator(".grid-row")).to_have_count(2)
    await expect(link).to_be_focused()
    await expect(page.locator("[data-live-told]")).to_have_text("1 new delivery")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Delivery of “Workspace created”")).to_be_visible()


async def test_list_is_narrowed_and_paged(page: Page, console: Console) -> None:
    webhook = await busy(console)
    await page.goto(address(console, webhook))
    rows = page.locator(".grid-row")
    await expect(rows).to_have_count(20)
    first = await rows.first.get_attribute("id")
    await page.get_by_role("link", name="Older").click()
    await expect(page.get_by_role("link", name="Newest")).to_be_visible()
    assert await rows.first.get_attribute("id") != first
    await page.get_by_role("link", name="Newest").click()
    await page.get_by_label("State").select_option("Failed")
    await page.get_by_role("button", name="Apply").click()
    await expect(rows).to_have_count(1)
    await page.get_by_role("link", name="Clear").click()
    await page.get_by_label("Workspace id").fill("nobody")
    await page.get_by_role("button", name="Apply").click()
    await expect(page.get_by_text("No delivery matches the filters.")).to_be_visible()
    await page.get_by_role("link", name="7 days").click()
    await expect(page.locator(".spans [aria-current]")).to_have_text("7 days")
    await page.get_by_text("Figures by the hour").click()
    await expect(page.get_by_role("columnheader", name="Hour (UTC)")).to_be_visible()


async def test_everything_works_without_scripts(console: Console, receiver: Receiver) -> None:
    page = await console.signed_in("super_admin", java_script_enabled=False)
    webhook = await stored(console, url=receiver.url())
    await failed(console, webhook)
    await page.goto(address(console, webhook))
    await expect(page.get_by_text("Live", exact=True)).to_be_hidden()
    await page.get_by_role("link", name="Refresh").click()
    await page.get_by_role("link", name="Workspace created").click()
    await page.get_by_role("button", name="Retry now").click()
    await receiver.until(1)
    await page.goto(address(console, webhook, "replay"))
    await page.get_by_role("button", name="Count first").click()
    await page.get_by_role("button", name=re.compile("Send . again")).click()
    await expect(page.locator("#replays progress")).to_be_visible()
    await page.goto(address(console, webhook, "explain"))
    await page.get_by_role("button", name="Explain").last.click()
    await expect(page.locator(".verdicts li")).to_have_count(6)
    await page.goto(address(console, webhook, "verify"))
    await page.locator("summary", has_text="Shell").click()
    await expect(page.get_by_text("openssl dgst").first).to_be_visible()


async def test_new_secret_is_shown_once_and_sending_the_form_again_rotates_nothing(
    page: Page, console: Console
) -> None:
    webhook = await stored(console)
    await page.goto(address(console, webhook, "rotate"))
    await page.get_by_role("button", name="Rotate secret").click()
    secret = await page.locator(".secret code").inner_text()
    assert len(secret) > 30
    # The browser sends the same form once more.
    await page.reload()
    await expect(page.get_by_text("The webhook has changed since this form was opened")).to_be_visible()
    await page.goto(address(console, webhook))
    assert secret not in await page.content()
    await expect(page.get_by_text("The secret before also signs until")).to_be_visible()


async def test_draft_is_compared_published_and_taken_back(page: Page, console: Console) -> None:
    webhook = await stored(console)
    await stored(console, state="draft", version=2, draft_of=webhook.id)
    await delivered(console, webhook)
    await page.goto(console.at())
    await expect(page.locator(".row").nth(1)).to_contain_text("Draft")
    await page.locator(".row summary").nth(1).click()
    await page.get_by_role("link", name="Compare and publish").click()
    await expect(page.get_by_role("heading", name="Version 1 and version 2")).to_be_visible()
    await expect(page.locator(".pair pre").last).to_contain_text('"version": 2')
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_text("The draft is published")).to_be_visible()
    await expect(page.locator(".under-title")).to_contain_text("v2")
    await page.get_by_role("button", name="Switch back to version 1").click()
    await expect(page.get_by_text("Switched back")).to_be_visible()
    await expect(page.locator(".under-title")).to_contain_text("Enabled")
    await page.get_by_text("Discard draft").click()
    await page.get_by_role("button", name="Discard it").click()
    await expect(page.get_by_text("The draft is discarded.")).to_be_visible()


@pytest.fixture
async def ending(console: Console) -> AsyncIterator[None]:
    """Have a webhook whose version ends in three days, and its draft."""
    await insert_ending_version(console.rows)
    webhook = await stored(console, version=ENDING, name="Ends soon")
    await stored(console, state="draft", version=2, draft_of=webhook.id, name="Ends soon")
    yield
    async with console.rows.write() as connection:
        await connection.execute(delete(webhooks).where(webhooks.c.version == ENDING))
        await connection.execute(delete(webhook_versions).where(webhook_versions.c.version == ENDING))


@pytest.mark.usefixtures("ending")
async def test_warning_of_the_last_week_pops_up_once_a_sign_in(console: Console) -> None:
    page = await console.windows.open()
    email = await console.person()
    for _ in range(2):
        await console.sign_in(page, email)
        dialog = page.get_by_role("dialog", name="A webhook version is about to expire")
        await expect(dialog).to_contain_text("expires in 3 days")
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
        await page.reload()
        await expect(page.get_by_role("region", name="A webhook version is about to expire")).to_be_visible()
        await expect(dialog).to_be_hidden()
        await page.get_by_role("button", name="Account").click()
        await page.get_by_role("button", name="Sign out", exact=True).click()
    await page.close()


@pytest.mark.usefixtures("ending")
async def test_warning_is_a_banner_without_scripts_and_for_viewers(console: Console) -> None:
    for page in (await console.signed_in(java_script_enabled=False), await console.signed_in("viewer")):
        banner = page.get_by_role("region", name="A webhook version is about to expire")
        await expect(banner).to_be_visible()
        await expect(page.get_by_role("dialog")).to_be_hidden()
        await page.close()


async def test_credential_opens_the_api_until_it_is_revoked(console: Console) -> None:
    page = await console.signed_in("super_admin")
    await page.get_by_role("link", name="API credentials").click()
    await page.get_by_label("Name").fill(" ")
    await page.get_by_role("button", name="Create credential").last.click()
    await expect(page.get_by_text("Must not be blank")).to_be_visible()
    await page.get_by_label("Name").fill("Billing <b>system</b>")
    await page.get_by_role("button", name="Create credential").last.click()
    client_id, secret = [await one.inner_text() for one in await page.locator(".facts code").all()]

    async def ask() -> int:
        async with httpx.AsyncClient(base_url=console.url) as client:
            body = {
                "client_id": client_id,
                "client_secret": secret,
                "audience": "https://api.secure.coro.net",
                "grant_type": "client_credentials",
            }
            return (await client.post("/oauth/token", json=body)).status_code

    assert await ask() == 200
    # The browser sends the same form once more.
    await page.reload()
    await expect(page.get_by_text("This form was sent before")).to_be_visible()
    assert secret not in await page.content()
    await page.goto(console.at(CREDENTIALS))
    await expect(page.locator("tbody tr")).to_have_count(1)
    await expect(page.locator("tbody")).to_contain_text("just now")
    await page.get_by_role("link", name="Revoke").click()
    await expect(page.get_by_role("heading", name="Revoke “Billing <b>system</b>”?")).to_be_visible()
    await page.get_by_role("button", name="Revoke credential").click()
    await expect(page.locator("tbody")).to_contain_text("Revoked")
    assert await ask() == 401


async def test_overview_leads_to_the_child_in_need_and_the_log_tells_what_happened(console: Console) -> None:
    page = await console.signed_in()
    child = await console.workspace.child()
    webhook = await stored(console, workspace_id=child.id, name="Tickets of the east")
    broken = await delivered(console, webhook, state="pending", attempts=2, finished_at=None)
    del broken
    await page.get_by_role("link", name="Overview").click()
    await page.get_by_role("link", name="Tickets of the east").click()
    await expect(page.get_by_role("heading", name="Tickets of the east")).to_be_visible()
    assert f"workspace={child.id}" in page.url
    await page.goto(console.at("/portal/activity"))
    await page.get_by_label("What").select_option("Signed in")
    await page.get_by_role("button", name="Apply").click()
    await expect(page.locator(".log-line")).to_have_count(1)
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download as CSV").click()
    text = (await (await download.value).path()).read_text(encoding="utf-8")
    assert text.startswith('"time","workspaceId"')
    assert "user.signed_in" in text


async def test_viewer_sees_everything_and_no_button_that_would_be_refused(console: Console) -> None:
    webhook = await stored(console)
    await stored(console, state="draft", version=2, draft_of=webhook.id)
    hook_id = await failed(console, webhook)
    page = await console.signed_in("viewer")
    for steps in ((), ("deliveries", str(hook_id)), ("explain",), ("verify",), ("preview",)):
        await page.goto(address(console, webhook, *steps))
        await expect(page.locator("main h1")).to_be_visible()
        assert await page.locator("main form[method=post]").count() == 0
        assert (
            await page.locator("main a[href*='/edit'], main a[href*='/replay'], main a[href*='/rotate']").count() == 0
        )


async def expect_nothing_ran(page: Page) -> None:
    await expect(page.locator("#broken")).to_have_count(0)
    assert await page.locator("main script, main img").count() == 0


async def test_what_strangers_wrote_is_text_on_every_page(console: Console) -> None:
    webhook = await stored(
        console,
        name=NASTY[:100],
        description=NASTY,
        headers={"X-Nasty": NASTY},
        state="disabled",
        disabled_reason=NASTY,
        apply_to_all_descendants=True,
    )
    await stored(console, name=NASTY[:100], state="draft", version=2, draft_of=webhook.id)
    hook_id = await failed(console, webhook, answer=NASTY)
    page = await console.signed_in("super_admin")
    for path in ("rotate", "explain", "verify", "preview", "replay", f"deliveries/{hook_id}", ""):
        await page.goto(address(console, webhook, *filter(None, [path])))
        await expect_nothing_ran(page)
    await page.get_by_label("Workspace id").fill(NASTY)
    await page.get_by_role("button", name="Apply").click()
    await expect(page.get_by_label("Workspace id")).to_have_value(NASTY)
    await page.goto(address(console, webhook, "rotate"))
    await page.get_by_role("button", name="Rotate secret").click()
    for path in ("/portal/overview", "/portal/activity"):
        await page.goto(console.at(path))
        await expect(page.get_by_text("document.body").first).to_be_visible()
        await expect_nothing_ran(page)
