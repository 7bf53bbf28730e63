"""The console without a mouse, without scripts, and on a phone."""

from playwright.async_api import Page, expect

from tests.end_to_end.console.console import NARROW, WEBHOOKS, Console, choose, create_webhook, fill_sign_in
from tests.support.receiver import Receiver
from tests.support.waiting import wait_until


async def type_at(page: Page, label: str, text: str) -> None:
    """Go to a field with the key Tab alone, and type."""
    await tab_to(page, label)
    await page.keyboard.type(text)


async def tab_to(page: Page, label: str) -> None:
    """Press Tab until something of that accessible name has the focus."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        name = await page.evaluate(
            "() => { const e = document.activeElement;"
            " return e.getAttribute('aria-label') || (e.labels && e.labels[0]?.innerText) || e.innerText || ''; }"
        )
        if label.lower() in " ".join(name.lower().split()):
            return
    raise AssertionError(f"{label!r} cannot be reached with the key Tab")


async def test_everything_can_be_done_with_the_keyboard_alone(console: Console, receiver: Receiver) -> None:
    page = await console.windows.open()
    await page.goto(console.url)
    await type_at(page, "Email address", await console.person())
    await type_at(page, "Password", "correct horse battery staple")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**{WEBHOOKS}**")
    await tab_to(page, "Skip to the content")
    await page.keyboard.press("Enter")
    await tab_to(page, "Create webhook")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/new**")
    await type_at(page, "Name", "By keyboard")
    await type_at(page, "Authentication URL", receiver.url())
    await tab_to(page, "Generate")
    await page.keyboard.press("Enter")
    await tab_to(page, "Workspace created")
    await page.keyboard.press("Space")
    await tab_to(page, "Apply to child workspace")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("The webhook was created.")).to_be_visible()
    await expect(page.get_by_text("your server answered 200")).to_be_visible()
    await tab_to(page, "Actions: By keyboard")
    await page.keyboard.press("Enter")
    await tab_to(page, "Disable")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Actions: By keyboard")).to_be_focused()
    await page.keyboard.press("Enter")
    await tab_to(page, "Remove")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    await tab_to(page, "Remove webhook")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("The webhook was removed.")).to_be_visible()


async def test_everything_can_be_done_without_scripts(console: Console, receiver: Receiver) -> None:
    page = await console.signed_in(java_script_enabled=False)
    await page.get_by_role("link", name="Create webhook").first.click()
    await page.get_by_label("Name", exact=True).fill("Without scripts")
    await page.get_by_label("Authentication URL").fill(receiver.url())
    await page.get_by_role("button", name="Generate").click()
    await expect(page.get_by_label("Authentication Secret")).not_to_be_empty()
    await page.get_by_role("button", name="Add header").click()
    await page.get_by_label("Header 2, name").fill("X-Route")
    await page.get_by_label("Header 2, value").fill("billing")
    await page.get_by_role("button", name="Remove header 1").click()
    await expect(page.get_by_label("Header 1, name")).to_have_value("X-Route")
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.locator("#faults")).to_contain_text("Triggers must not be empty")
    await expect(page.get_by_label("Header 1, value")).to_have_value("billing")
    await page.get_by_role("checkbox", name="Workspace created").check()
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.get_by_text("The webhook was created.")).to_be_visible()
    await receiver.until(1)

    async def has_result() -> bool:
        await page.reload()
        return await page.get_by_text("your server answered 200").is_visible()

    await wait_until(has_result, what="the result of the test")
    await choose(page, "Without scripts", "Disable")
    await expect(page.get_by_text("The webhook is disabled.")).to_be_visible()
    await page.get_by_label("State").select_option(label="Disabled")
    await page.get_by_role("button", name="Apply").click()
    await expect(page.locator(".row")).to_have_count(1)
    await choose(page, "Without scripts", "Remove")
    await expect(page.get_by_role("heading", name="Remove “Without scripts”?")).to_be_visible()
    await page.get_by_role("button", name="Remove webhook").click()
    await expect(page.get_by_text("The webhook was removed.")).to_be_visible()
    await page.locator(".switcher").click()
    await page.locator("#search").fill("nothing of that name")
    await page.get_by_role("button", name="Search").click()
    await expect(page.get_by_text("No workspace matches")).to_be_visible()
    await page.get_by_role("button", name="Account").click()
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await expect(page.get_by_text("You are signed out.")).to_be_visible()


async def test_phone_is_enough(console: Console, receiver: Receiver) -> None:
    page = await console.signed_in(viewport=NARROW, has_touch=True, is_mobile=True)
    await create_webhook(page, console, name="On the way", url=receiver.url())
    await expect(page.get_by_text("your server answered 200")).to_be_visible()
    await choose(page, "On the way", "Disable")
    await expect(page.get_by_text("The webhook is disabled.")).to_be_visible()


async def test_two_tabs_that_edit_the_same_webhook_do_not_overwrite_each_other_unseen(
    page: Page, console: Console, receiver: Receiver
) -> None:
    webhook = await console.workspace.webhook(receiver.url(), name="Billing")
    other = await page.context.new_page()
    for tab in (page, other):
        await tab.goto(console.at(f"{WEBHOOKS}/{webhook['id']}/edit"))
    await page.get_by_label("Name", exact=True).fill("First")
    await page.get_by_role("button", name="Save changes").last.click()
    await expect(page.get_by_text("The changes are saved.")).to_be_visible()
    await other.get_by_label("Name", exact=True).fill("Second")
    await other.get_by_role("button", name="Save changes").last.click()
    await expect(other.get_by_text("Somebody else has changed this webhook")).to_be_visible()
    await expect(other.get_by_label("Name", exact=True)).to_have_value("Second")
    await other.get_by_role("button", name="Save changes").last.click()
    await expect(other.locator(".cell-name strong")).to_have_text("Second")


async def test_session_of_one_tab_is_that_of_the_other(page: Page, console: Console) -> None:
    other = await page.context.new_page()
    await other.goto(console.at())
    await page.get_by_role("button", name="Account").click()
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await expect(page.get_by_text("You are signed out.")).to_be_visible()
    await other.get_by_role("link", name="Create webhook").first.click()
    await expect(other.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    await fill_sign_in(other, await console.person())
    await expect(other.get_by_role("heading", name="Create webhook")).to_be_visible()
