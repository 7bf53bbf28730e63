"""Signing in and out, and what happens when a session is over."""

from playwright.async_api import Page, expect
from sqlalchemy import delete

from coro_events.store.tables import sessions
from tests.end_to_end.console.console import WEBHOOKS, Console, fill_sign_in


async def test_wrong_password_is_told_and_the_address_stays(console: Console) -> None:
    page = await console.windows.open()
    await page.goto(f"{console.url}/")
    email = await console.person()
    await fill_sign_in(page, email, "not the password")
    await expect(page.get_by_role("alert")).to_have_text("The email address or the password is not right.")
    await expect(page.get_by_label("Email address")).to_have_value(email)
    await fill_sign_in(page, email)
    await page.wait_for_url(f"**{WEBHOOKS}**")


async def test_sign_in_leads_to_the_page_that_was_asked_for(console: Console) -> None:
    page = await console.windows.open()
    await page.goto(console.at(f"{WEBHOOKS}/new"))
    await fill_sign_in(page, await console.person())
    await expect(page.get_by_role("heading", name="Create webhook")).to_be_visible()


async def test_signing_out_shows_nothing_more_not_even_with_the_button_back(page: Page, console: Console) -> None:
    await page.get_by_role("button", name="Account").click()
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await expect(page.get_by_text("You are signed out.")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    assert not [one for one in await page.context.cookies() if "coro" in one.get("name", "")], console.url


async def test_signing_out_everywhere_ends_the_other_browser_too(console: Console) -> None:
    email = await console.person()
    here, there = await console.windows.open(), await console.windows.open()
    for page in (here, there):
        await console.sign_in(page, email)
    await here.get_by_role("button", name="Account").click()
    await here.get_by_role("button", name="Sign out everywhere").click()
    await expect(here.get_by_text("You are signed out on all devices.")).to_be_visible()
    await there.reload()
    await expect(there.get_by_text("Your session is over.")).to_be_visible()


async def test_nothing_typed_is_lost_when_the_session_is_over(page: Page, console: Console) -> None:
    await page.goto(console.at(f"{WEBHOOKS}/new"))
    async with console.rows.write() as connection:
        await connection.execute(delete(sessions))
    await page.get_by_label("Name", exact=True).fill("Billing")
    await page.get_by_label("Description").fill('Two\nlines, <b>"quoted"</b>')
    await page.locator("#secret").fill("a secret of the receiver")
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.get_by_text("Your session is over, and nothing was saved.")).to_be_visible()
    assert "secret" not in page.url
    await fill_sign_in(page, await console.person())
    await page.get_by_role("button", name="Back to the form").click()
    await expect(page.get_by_role("heading", name="Create webhook")).to_be_visible()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Billing")
    await expect(page.get_by_label("Description")).to_have_value('Two\nlines, <b>"quoted"</b>')
    await expect(page.locator("#secret")).to_have_value("a secret of the receiver")


async def test_two_tabs_show_two_workspaces(page: Page, console: Console) -> None:
    child = await console.workspace.child()
    other = await page.context.new_page()
    await other.goto(f"{console.url}{WEBHOOKS}")
    await other.locator(".switcher").click()
    await other.get_by_label("Search workspaces").fill(child.id[-8:])
    await other.get_by_role("link", name=f"Workspace {child.id}").click()
    await expect(other.locator(".switcher-name")).to_contain_text(child.id)
    await page.reload()
    await expect(page.locator(".switcher-name")).to_contain_text(console.workspace.id)
