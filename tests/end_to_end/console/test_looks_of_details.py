"""The pages beyond the list: accessible by axe, within their width, small, and pictured to be looked at."""

import re
from collections.abc import Awaitable, Callable

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect
from sqlalchemy import delete

from coro_events.store.tables import webhook_versions, webhooks
from tests.end_to_end.console.console import Console
from tests.end_to_end.console.history import (
    ENDING,
    address,
    busy,
    delivered,
    failed,
    insert_ending_version,
    stored,
)
from tests.end_to_end.console.test_looks import MOST_BYTES, PICTURES, SIZES, picture

CREDENTIALS = "/portal/settings/connectors/api-credentials"


async def details(page: Page, console: Console) -> None:
    await page.goto(address(console, await busy(console)))
    await expect(page.locator("[data-live-state]")).to_be_visible()


async def details_disabled(page: Page, console: Console) -> None:
    webhook = await stored(console, state="disabled", disabled_reason="all four attempts of a delivery failed")
    await failed(console, webhook)
    await page.goto(address(console, webhook))


async def delivery_failed(page: Page, console: Console) -> None:
    webhook = await stored(console)
    await page.goto(address(console, webhook, "deliveries", str(await failed(console, webhook))))


async def delivery_delivered(page: Page, console: Console) -> None:
    webhook = await stored(console)
    await page.goto(address(console, webhook, "deliveries", str(await delivered(console, webhook))))


async def replay(page: Page, console: Console) -> None:
    webhook = await stored(console)
    await failed(console, webhook)
    await page.goto(address(console, webhook, "replay"))
    await page.get_by_role("button", name="Count first").click()
    await page.get_by_role("button", name=re.compile("Send . again")).click()
    await expect(page.get_by_text("Done")).to_be_visible()
    await page.get_by_role("button", name="Count first").click()


async def rotate(page: Page, console: Console) -> None:
    await page.goto(address(console, await stored(console), "rotate"))


async def rotated(page: Page, console: Console) -> None:
    await rotate(page, console)
    await page.get_by_role("button", name="Rotate secret").click()
    await expect(page.get_by_role("heading", name="The new secret")).to_be_visible()


async def explain(page: Page, console: Console) -> None:
    await page.goto(address(console, await stored(console, state="disabled"), "explain"))
    await page.get_by_role("button", name="Explain").last.click()
    await expect(page.locator(".verdicts")).to_be_visible()


async def verify(page: Page, console: Console) -> None:
    webhook = await stored(console)
    await delivered(console, webhook)
    await page.goto(address(console, webhook, "verify"))


async def preview(page: Page, console: Console) -> None:
    webhook = await stored(console)
    await stored(console, state="draft", version=2, draft_of=webhook.id)
    await delivered(console, webhook)
    await page.goto(address(console, webhook, "preview"))


async def with_draft(page: Page, console: Console) -> None:
    webhook = await stored(console)
    await stored(console, state="draft", version=2, draft_of=webhook.id)
    await page.goto(address(console, webhook))
    await page.get_by_text("Discard draft").click()


async def activity(page: Page, console: Console) -> None:
    await rotated(page, console)
    await page.goto(console.at("/portal/activity"))


async def overview(page: Page, console: Console) -> None:
    await details_disabled(page, console)
    child = await console.workspace.child()
    broken = await stored(console, workspace_id=child.id, name="Tickets of the east")
    await delivered(console, broken, state="pending", attempts=2, finished_at=None)
    await stored(console, name="Well")
    await page.goto(console.at("/portal/overview"))


async def overview_well(page: Page, console: Console) -> None:
    await stored(console)
    await page.goto(console.at("/portal/overview"))


async def credentials(page: Page, console: Console) -> None:
    await page.goto(console.at(CREDENTIALS))
    for name in ("Billing system", "Old reports"):
        card = page.locator(".create-card")
        if await card.get_attribute("open") is None:
            await card.locator("summary").click()
        await page.get_by_label("Name").fill(name)
        await page.get_by_role("button", name="Create credential").last.click()
        await page.get_by_role("link", name="I have copied it").click()
    await page.get_by_role("link", name="Revoke").first.click()
    await page.get_by_role("button", name="Revoke credential").click()
    await expect(page.get_by_text("The credential is revoked.")).to_be_visible()


async def credential_created(page: Page, console: Console) -> None:
    await page.goto(console.at(CREDENTIALS))
    await page.get_by_label("Name").fill("Billing system")
    await page.get_by_role("button", name="Create credential").last.click()
    await expect(page.get_by_text("Client secret")).to_be_visible()


async def sunset(page: Page, console: Console) -> None:
    await insert_ending_version(console.rows)
    webhook = await stored(console, version=ENDING)
    await stored(console, state="draft", version=2, draft_of=webhook.id)
    await page.goto(console.at())
    await expect(page.get_by_role("dialog")).to_be_visible()


async def sunset_banner(page: Page, console: Console) -> None:
    await sunset(page, console)
    await page.get_by_role("button", name="Understood").click()
    await expect(page.get_by_role("dialog")).to_be_hidden()


Opening = Callable[[Page, Console], Awaitable[None]]
PAGES: dict[str, Opening] = {
    "details": details,
    "details-disabled": details_disabled,
    "details-draft": with_draft,
    "delivery-failed": delivery_failed,
    "delivery-delivered": delivery_delivered,
    "replay": replay,
    "rotate": rotate,
    "rotated": rotated,
    "explain": explain,
    "verify": verify,
    "preview": preview,
    "activity": activity,
    "overview": overview,
    "overview-well": overview_well,
    "credentials": credentials,
    "credential-created": credential_created,
    "sunset": sunset,
    "sunset-banner": sunset_banner,
}


@pytest.mark.parametrize("name", PAGES)
async def test_page_is_accessible_and_fits_when_it_is_wide_narrow_light_or_dark(name: str, console: Console) -> None:
    page = await console.signed_in("super_admin")
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(int(answer.headers.get("content-length", 0))))
    try:
        await PAGES[name](page, console)
        assert max(sizes) < MOST_BYTES
        PICTURES.mkdir(parents=True, exist_ok=True)
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            for width, size in SIZES.items():
                await page.set_viewport_size(size)  # type: ignore[arg-type] # Two numbers by name, as it asks for.
                await picture(page, PICTURES / f"{name}-{width}-{scheme}.png")
                assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"], f"{width} pixels"
            options = {} if scheme == "light" else {"runOnly": ["color-contrast"]}
            found = await Axe().run(page, options={"resultTypes": ["violations"], **options})
            assert found.violations_count == 0, found.generate_report()
    finally:
        await page.close()
        async with console.rows.write() as connection:
            await connection.execute(delete(webhooks).where(webhooks.c.version == ENDING))
            await connection.execute(delete(webhook_versions).where(webhook_versions.c.version == ENDING))
