"""Webhooks from the first to the last: created, tested, edited, disabled, enabled, removed."""

from playwright.async_api import Page, expect

from tests.end_to_end.console.console import WEBHOOKS, Console, choose, create_webhook, fill_webhook
from tests.support.receiver import Receiver


async def test_new_webhook_shows_in_the_list_and_its_test_arrives_by_itself(
    page: Page, console: Console, receiver: Receiver
) -> None:
    await expect(page.get_by_text("No webhooks yet")).to_be_visible()
    await page.get_by_role("link", name="Create webhook").first.click()
    await fill_webhook(page, name="Billing", url=receiver.url(), triggers=("Workspace created", "Subscription updated"))
    await page.locator(".example summary").first.click()
    await expect(page.get_by_text('"workspace-created"')).to_be_visible()
    await page.get_by_role("button", name="Add header").click()
    await page.get_by_label("Header 2, name").fill("X-Route")
    await page.get_by_label("Header 2, value").fill("billing")
    await page.get_by_role("button", name="Remove header 1").click()
    await page.get_by_label("Apply to child workspace").check()
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.get_by_text("The webhook was created.")).to_be_visible()
    await expect(page.get_by_text("your server answered 200")).to_be_visible()
    (request,) = await receiver.until(1)
    assert request.headers["x-coro-hook-type"] == "test"
    assert request.headers["x-route"] == "billing"
    row = page.locator(".row", has_text="Billing")
    await expect(row).to_contain_text("This and child workspaces")
    await expect(row).to_contain_text("Enabled")
    assert f"workspace={console.workspace.id}" in page.url


async def test_test_that_fails_says_why(page: Page, console: Console, receiver: Receiver) -> None:
    await create_webhook(page, console, name="Broken", url=receiver.url("/status/503"))
    await expect(page.get_by_text("The test failed: your server answered 503.")).to_be_visible()


async def test_menu_tests_disables_enables_and_removes(page: Page, console: Console, receiver: Receiver) -> None:
    await create_webhook(page, console, name="Billing", url=receiver.url())
    await receiver.until(1)
    await choose(page, "Billing", "Test")
    await expect(page.get_by_text("your server answered 200")).to_be_visible()
    await receiver.until(2)
    await choose(page, "Billing", "Disable")
    await expect(page.get_by_text("The webhook is disabled. Its configuration is kept.")).to_be_visible()
    await choose(page, "Billing", "Enable")
    await expect(page.get_by_text("The webhook is enabled.")).to_be_visible()
    await choose(page, "Billing", "Remove")
    dialog = page.get_by_role("dialog", name="Remove “Billing”?")
    await expect(dialog).to_contain_text("its configuration")
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(dialog).to_be_hidden()
    await choose(page, "Billing", "Remove")
    await dialog.get_by_role("button", name="Remove webhook").click()
    await expect(page.get_by_text("The webhook was removed.")).to_be_visible()
    await expect(page.get_by_text("No webhooks yet")).to_be_visible()


async def test_details_open_in_place_and_test_from_there(page: Page, console: Console, receiver: Receiver) -> None:
    await create_webhook(page, console, name="Billing", url=receiver.url())
    await page.goto(console.at())
    button = page.get_by_role("button", name="Test webhook")
    await expect(button).to_be_hidden()
    await page.locator(".row summary").first.click()
    await button.click()
    await expect(page.get_by_text("your server answered 200")).to_be_visible()


async def test_edit_says_what_is_wrong_at_the_field_and_loses_nothing(
    page: Page, console: Console, receiver: Receiver
) -> None:
    await create_webhook(page, console, name="Billing", url=receiver.url())
    await choose(page, "Billing", "Edit")
    await page.get_by_label("Description").fill("Two lines,\nas typed.")
    await page.get_by_label("Authentication URL").fill("https://user@example.com/")
    await page.get_by_role("button", name="Save changes").last.click()
    summary = page.locator("#faults")
    await expect(summary).to_be_focused()
    await summary.get_by_role("link", name="Authentication URL must not hold a user").click()
    await expect(page.get_by_label("Authentication URL")).to_be_focused()
    await expect(page.get_by_label("Description")).to_have_value("Two lines,\nas typed.")
    await page.get_by_label("Authentication URL").fill(receiver.url())
    await page.get_by_role("button", name="Save changes").last.click()
    await expect(page.get_by_text("The changes are saved.")).to_be_visible()


async def test_list_is_searched_filtered_and_sorted(page: Page, console: Console, receiver: Receiver) -> None:
    for name in ("Billing", "Tickets"):
        await console.workspace.webhook(receiver.url(), name=name)
    await page.goto(console.at())
    names = page.locator(".cell-name strong")
    await expect(names).to_have_text(["Tickets", "Billing"])
    await page.get_by_label("Sort by").select_option(label="Name, A to Z")
    await expect(names).to_have_text(["Billing", "Tickets"])
    await page.get_by_label("Search webhooks").fill("tick")
    await page.get_by_label("Search webhooks").press("Enter")
    await expect(names).to_have_text(["Tickets"])
    await page.get_by_label("State").select_option(label="Disabled")
    await expect(page.get_by_text("No webhook matches")).to_be_visible()
    await page.get_by_role("link", name="Clear").click()
    await expect(names).to_have_count(2)


async def test_button_back_after_sending_sends_nothing_again(page: Page, console: Console, receiver: Receiver) -> None:
    await create_webhook(page, console, name="Billing", url=receiver.url())
    await page.go_back()
    await expect(page.get_by_role("heading", name="Create webhook")).to_be_visible()
    await page.go_forward()
    await page.reload()
    await expect(page.locator(".row")).to_have_count(1)
    assert page.url.startswith(f"{console.url}{WEBHOOKS}?")
