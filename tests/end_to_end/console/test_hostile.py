"""What somebody hostile stores or sends: shown as text, or refused."""

from urllib.parse import urlencode

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import update

from coro_events.store.tables import workspaces
from tests.end_to_end.console.console import WEBHOOKS, Console, choose
from tests.support.receiver import Receiver

SCRIPT = "<script>document.body.dataset.owned='1'</script>"
IMAGE = "<img src=x onerror=\"document.body.dataset.owned='1'\">"
BREAKOUT = "\"'><svg onload=\"document.body.dataset.owned='1'\">{{7*7}}</textarea></dialog>"


async def is_clean(page: Page) -> None:
    """Check that nothing of it ran, and nothing of it became an element."""
    assert await page.evaluate("document.body.dataset.owned") is None
    assert await page.locator("main script, main img, [onerror], [onload]").count() == 0


@pytest.mark.parametrize("text", [SCRIPT, IMAGE, BREAKOUT], ids=["script", "image", "breakout"])
async def test_what_is_stored_is_shown_as_text(console: Console, receiver: Receiver, text: str) -> None:
    async with console.rows.write() as connection:
        named = update(workspaces).where(workspaces.c.id == console.workspace.id).values(display_name=text)
        await connection.execute(named)
    name = text[:100]
    webhook = await console.workspace.webhook(
        receiver.url("/ok?q=%22%3E%3Cscript%3E"),
        name=name,
        description=text * 2,
        headers={"X-Odd'Name": text.encode("ascii", "ignore").decode()},
    )
    page = await console.signed_in()
    await page.locator(".row summary").click()
    await expect(page.locator(".cell-name strong")).to_have_text(name)
    await expect(page.get_by_text(text * 2)).to_be_visible()
    await is_clean(page)
    await choose(page, name, "Remove")
    await expect(page.get_by_role("dialog")).to_contain_text(name)
    await is_clean(page)
    await page.goto(console.at(f"{WEBHOOKS}/{webhook['id']}/edit"))
    await expect(page.get_by_label("Description")).to_have_value(text * 2)
    await is_clean(page)
    await page.locator(".switcher").click()
    await expect(page.locator(".options a")).to_contain_text(text)
    await is_clean(page)


@pytest.mark.parametrize("text", [SCRIPT, IMAGE, BREAKOUT], ids=["script", "image", "breakout"])
async def test_what_is_typed_or_put_into_the_address_is_shown_as_text(page: Page, console: Console, text: str) -> None:
    await page.goto(console.at(f"{WEBHOOKS}/new"))
    for label in ("Name", "Description", "Authentication URL", "Authentication Secret", "Header 1, name"):
        await page.get_by_label(label, exact=label == "Name").first.fill(text)
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.locator("#faults")).to_be_visible()
    await is_clean(page)
    for name in ("search", "state", "trigger", "sort", "told", "of", "test"):
        await page.goto(console.at(f"{WEBHOOKS}?{urlencode({name: text})}"))
        await expect(page.get_by_role("heading", name="Webhooks", exact=True)).to_be_attached()
        await is_clean(page)


async def test_answer_of_a_receiver_is_shown_as_text(page: Page, console: Console, receiver: Receiver) -> None:
    webhook = await console.workspace.webhook(receiver.url("/status/500"), name="Odd")
    await page.goto(console.at())
    await page.locator(".row summary").click()
    await page.get_by_role("button", name="Test webhook").click()
    await expect(page.get_by_text("your server answered 500")).to_be_visible()
    assert webhook["id"] in page.url
    await is_clean(page)


async def test_form_that_another_site_sends_does_nothing(page: Page, console: Console, receiver: Receiver) -> None:
    webhook = await console.workspace.webhook(receiver.url(), name="Billing")
    address = console.at(f"{WEBHOOKS}/{webhook['id']}/remove")
    other = await page.context.new_page()
    # A page of no origin of ours, in the same browser and with its cookies.
    await other.goto("data:text/html,<title>another site</title>")
    await other.set_content(f'<form method="post" action="{address}"><button>Win a prize</button></form>')
    await other.get_by_role("button").click()
    await other.wait_for_load_state()
    # The cookie is not even sent along, or the form is refused: either way the webhook stays.
    await page.reload()
    await expect(page.locator(".cell-name strong")).to_have_text("Billing")


async def test_workspace_of_somebody_else_is_refused(page: Page, console: Console, receiver: Receiver) -> None:
    stranger = await console.workspace.stack.api.get("/v1/workspaces", headers={"Workspace": "the_root"})
    assert stranger.status_code == 200
    webhook = await console.workspace.webhook(receiver.url(), name="Billing")
    for address in (f"{WEBHOOKS}?workspace=the_root", f"{WEBHOOKS}/{webhook['id']}/edit?workspace=the_root"):
        answer = await page.goto(f"{console.url}{address}")
        assert answer is not None
        assert answer.status == 403
        await expect(page.get_by_role("heading", name="You cannot open this")).to_be_visible()
