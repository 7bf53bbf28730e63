"""Every page: accessible by axe, within its width, small, and pictured under .local/screenshots to be looked at."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.end_to_end.console.console import NARROW, WEBHOOKS, WIDE, Console
from tests.support.processes import ROOT
from tests.support.receiver import Receiver

PICTURES = ROOT / ".local" / "screenshots"
MOST_BYTES = 100_000
SIZES = {"1280": WIDE, "390": NARROW}


async def sign_in_page(page: Page, console: Console, receiver: Receiver) -> None:
    del receiver
    await page.context.clear_cookies()
    await page.goto(f"{console.url}/portal/sign-in")


async def empty_list(page: Page, console: Console, receiver: Receiver) -> None:
    del receiver
    await page.goto(console.at())


async def full_list(page: Page, console: Console, receiver: Receiver) -> None:
    workspace = console.workspace
    long = "A webhook with a rather long name, as somebody who names things carefully would give it"
    await workspace.webhook(receiver.url("/status/503"), name=long, applyToAllDescendants=True)
    await workspace.webhook(receiver.url(), name="Billing", description="Tells billing.\nAsk the billing team.")
    stopped = await workspace.webhook(receiver.url("/tickets"), name="Tickets", triggers=["workspaceCreated.v1"])
    await workspace.edit(stopped, status="disabled")
    for number in range(5):
        await workspace.count(number)
    await receiver.until(5, prefix="/ok")
    await page.goto(console.at())
    await page.locator(".row summary").nth(1).click()


async def menu(page: Page, console: Console, receiver: Receiver) -> None:
    await console.workspace.webhook(receiver.url(), name="Billing")
    await page.goto(console.at())
    await page.get_by_role("button", name="Actions: Billing").click()
    await expect(page.locator(".menu:popover-open")).to_be_visible()


async def removal(page: Page, console: Console, receiver: Receiver) -> None:
    await menu(page, console, receiver)
    await page.locator(".menu:popover-open .item", has_text="Remove").click()
    await expect(page.get_by_role("dialog")).to_be_visible()


async def removal_page(page: Page, console: Console, receiver: Receiver) -> None:
    webhook = await console.workspace.webhook(receiver.url(), name="Billing")
    await page.goto(console.at(f"{WEBHOOKS}/{webhook['id']}/remove"))


async def tested(page: Page, console: Console, receiver: Receiver) -> None:
    webhook = await console.workspace.webhook(receiver.url("/status/503"), name="Billing")
    await page.goto(console.at())
    await page.locator(".row summary").click()
    await page.get_by_role("button", name="Test webhook").click()
    await expect(page.get_by_text("your server answered 503")).to_be_visible()
    assert webhook["id"] in page.url


async def new_form(page: Page, console: Console, receiver: Receiver) -> None:
    del receiver
    await page.goto(console.at(f"{WEBHOOKS}/new"))
    await page.get_by_role("checkbox", name="Protected users added").check()
    await page.locator(".trigger:has(:checked) .example summary").click()


async def faulty_form(page: Page, console: Console, receiver: Receiver) -> None:
    del receiver
    await page.goto(console.at(f"{WEBHOOKS}/new"))
    await page.get_by_label("Authentication URL").fill("http:/nowhere")
    await page.get_by_label("Header 1, name").fill("Host")
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.locator("#faults")).to_be_visible()


async def edit_form(page: Page, console: Console, receiver: Receiver) -> None:
    headers = {"Authorization": "Bearer of-the-receiver", "X-Route": "billing"}
    webhook = await console.workspace.webhook(receiver.url(), name="Billing", headers=headers)
    await page.goto(console.at(f"{WEBHOOKS}/{webhook['id']}/edit"))


async def switcher(page: Page, console: Console, receiver: Receiver) -> None:
    del receiver
    await page.goto(console.at())
    await page.locator(".switcher").click()
    await expect(page.locator(".options a")).to_be_visible()


async def switcher_page(page: Page, console: Console, receiver: Receiver) -> None:
    del receiver
    await page.goto(console.at("/portal/workspaces"))


async def account(page: Page, console: Console, receiver: Receiver) -> None:
    del receiver
    await page.goto(console.at())
    await page.get_by_role("button", name="Account").click()


async def nothing_there(page: Page, console: Console, receiver: Receiver) -> None:
    del receiver
    await page.goto(f"{console.url}/portal/nowhere")


Opening = Callable[[Page, Console, Receiver], Awaitable[None]]
# What a new page joins: its name, and how it is opened.
PAGES: dict[str, Opening] = {
    "sign-in": sign_in_page,
    "list-empty": empty_list,
    "list": full_list,
    "menu": menu,
    "removal": removal,
    "removal-page": removal_page,
    "test-result": tested,
    "form-new": new_form,
    "form-faulty": faulty_form,
    "form-edit": edit_form,
    "switcher": switcher,
    "switcher-page": switcher_page,
    "account": account,
    "nothing-there": nothing_there,
}


@pytest.mark.parametrize("name", PAGES)
async def test_page_is_accessible_and_fits_when_it_is_wide_narrow_light_or_dark(
    name: str, console: Console, receiver: Receiver
) -> None:
    page = await console.signed_in()
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(int(answer.headers.get("content-length", 0))))
    await PAGES[name](page, console, receiver)
    assert max(sizes) < MOST_BYTES
    PICTURES.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width, size in SIZES.items():
            await page.set_viewport_size(size)  # type: ignore[arg-type] # Two numbers by name, as it asks for.
            await picture(page, PICTURES / f"{name}-{width}-{scheme}.png")
            assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"], f"{width} pixels"
        # Only colours differ in the dark.
        options = {} if scheme == "light" else {"runOnly": ["color-contrast"]}
        found = await Axe().run(page, options={"resultTypes": ["violations"], **options})
        assert found.violations_count == 0, found.generate_report()


async def picture(page: Page, file: Path) -> None:
    """Keep what the page looks like; what floats above it is seen only within the window."""
    await page.evaluate("scrollTo(0, 0)")
    floats: Any = await page.evaluate("Boolean(document.querySelector('dialog[open], :popover-open'))")
    await page.screenshot(path=file, full_page=not floats)
