"""The list of webhooks, its menu, and the form, without scripts."""

import re

import pytest

from coro_events.store.unit import Database
from tests.integration.api.calls import activities, messages
from tests.integration.api.console.browsing import WEBHOOKS, Browser, make_fields, text_of


async def created(browser: Browser, **changes: object) -> str:
    """Create a webhook; return its id."""
    answer = await browser.post(f"{WEBHOOKS}/new", make_fields(**changes))
    assert answer.status_code == 303, text_of(answer)
    found = re.search(r"of=([0-9a-f-]{36})", answer.headers["location"])
    assert found is not None
    return found[1]


async def test_empty_list_explains_what_a_webhook_is(browser: Browser) -> None:
    page = await browser.get(WEBHOOKS)
    assert page.status_code == 200
    assert "No webhooks yet" in page.text
    assert "Create webhook" in page.text


async def test_new_webhook_is_in_the_list_and_its_test_is_asked_for(browser: Browser, database: Database) -> None:
    answer = await browser.post(f"{WEBHOOKS}/new", make_fields())
    text = await browser.follow(answer)
    assert "The webhook was created." in text
    assert "A test is on its way" in text
    assert "Billing" in text
    assert "This and child workspaces" in text
    assert "a secret of the receiver" not in text
    types = [message["type"] for message in await messages(database)]
    assert types == ["webhook-created", "webhook-test-requested"]
    (webhook_id,) = re.findall(r"of=([0-9a-f-]{36})", answer.headers["location"])
    assert [actor for _, actor, _ in await activities(database, subject=webhook_id)] == [
        "user:administrator@acme.example"
    ] * 2


async def test_everything_typed_is_there_again_when_something_is_wrong(browser: Browser) -> None:
    fields = make_fields(
        name=" ", url="ftp://x", secret="short", trigger=[], **{"header-name": "Host", "header-value": "typed value"}
    )
    answer = await browser.post(f"{WEBHOOKS}/new", fields)
    assert answer.status_code == 400
    for kept in ('value="ftp://x"', 'value="short"', 'value="typed value"', 'value="Host"', "Tells billing."):
        assert kept in answer.text, kept
    text = text_of(answer)
    for told in (
        "Name must not be blank",
        "Authentication URL must begin with https://",
        "Authentication Secret must have at least 8 characters",
        "Header 1 is reserved; choose another header",
        "Triggers must not be empty",
    ):
        assert told in text, told


async def test_name_that_is_taken_is_told_at_its_field(browser: Browser) -> None:
    await created(browser)
    answer = await browser.post(f"{WEBHOOKS}/new", make_fields())
    assert answer.status_code == 400
    assert "Is taken: another webhook of this workspace has it." in text_of(answer)


async def test_header_named_twice_is_told(browser: Browser) -> None:
    fields = make_fields(**{"header-name": ["X-Key", "X-Key"], "header-value": ["1", "2"]})
    answer = await browser.post(f"{WEBHOOKS}/new", fields)
    assert answer.status_code == 400
    assert "Header 2 must not name a header twice" in text_of(answer)


@pytest.mark.parametrize(
    ("button", "rows"), [("add-header", 3), ("remove-header-1", 1), ("remove-header-9", 2), ("generate", 2)]
)
async def test_buttons_of_the_form_work_without_scripts(browser: Browser, button: str, rows: int) -> None:
    fields = make_fields(**{"header-name": ["X-A", "X-B"], "header-value": ["1", "2"], "do": button})
    answer = await browser.post(f"{WEBHOOKS}/new", fields)
    assert answer.status_code == 200
    outside_template = answer.text.partition("<template")[0]
    assert outside_template.count('name="header-name"') == rows
    assert 'value="Billing"' in answer.text
    assert ("a secret of the receiver" in answer.text) == (button != "generate")


async def test_edit_keeps_what_is_masked(browser: Browser, database: Database) -> None:
    webhook_id = await created(browser, **{"header-name": "Authorization", "header-value": "Bearer abc"})
    page = await browser.get(f"{WEBHOOKS}/{webhook_id}/edit")
    assert "Bearer abc" not in page.text
    (revision,) = re.findall(r'name="revision" value="([^"]+)"', page.text)
    fields = make_fields(
        name="Renamed",
        secret="********",
        revision=revision.replace("&#34;", '"'),
        **{"header-name": "Authorization", "header-value": "********"},
    )
    answer = await browser.post(f"{WEBHOOKS}/{webhook_id}/edit", fields)
    assert "The changes are saved" in await browser.follow(answer)
    changes = [detail for action, _, detail in await activities(database, subject=webhook_id) if "updated" in action]
    assert [detail["changed"] for detail in changes] == [["name"]]


async def test_edit_of_an_older_state_is_told_and_kept(browser: Browser) -> None:
    webhook_id = await created(browser)
    fields = make_fields(secret="********", revision='"1"')
    await browser.post(f"{WEBHOOKS}/{webhook_id}/edit", fields | {"name": "First"})
    answer = await browser.post(f"{WEBHOOKS}/{webhook_id}/edit", fields | {"name": "Second"})
    assert answer.status_code == 409
    assert "Somebody else has changed this webhook" in text_of(answer)
    assert 'value="Second"' in answer.text
    assert 'value="&#34;2&#34;"' in answer.text


async def test_menu_disables_enables_and_removes(browser: Browser) -> None:
    webhook_id = await created(browser)
    for what, told in (("disable", "is disabled"), ("enable", "is enabled"), ("remove", "was removed")):
        text = await browser.follow(await browser.post(f"{WEBHOOKS}/{webhook_id}/{what}"))
        assert told in text
    assert (await browser.get(f"{WEBHOOKS}/{webhook_id}/edit")).status_code == 404


async def test_page_of_removal_says_what_is_lost(browser: Browser) -> None:
    webhook_id = await created(browser)
    text = text_of(await browser.get(f"{WEBHOOKS}/{webhook_id}/remove"))
    assert "Remove “Billing”?" in text
    assert "its configuration" in text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("search=bill", {"Billing"}),
        ("search=TICKETS.example", {"Tickets"}),
        ("search=%25", set()),
        ("state=disabled", {"Tickets"}),
        ("trigger=protected-users-added", {"Tickets"}),
        ("state=nonsense&trigger=nonsense&sort=nonsense", {"Billing", "Tickets"}),
    ],
)
async def test_list_is_searched_and_filtered(browser: Browser, query: str, shown: set[str]) -> None:
    await created(browser)
    webhook_id = await created(
        browser, name="Tickets", url="https://tickets.example/x", description="", trigger="protected-users-added"
    )
    await browser.post(f"{WEBHOOKS}/{webhook_id}/disable")
    page = await browser.get(f"{WEBHOOKS}?{query}")
    assert set(re.findall(r"<strong>(Billing|Tickets)</strong>", page.text)) == shown


async def test_viewer_sees_the_list_and_no_button_that_changes(browser: Browser) -> None:
    webhook_id = await created(browser)
    await browser.sign_in("viewer@acme.example")
    page = await browser.get(WEBHOOKS)
    assert "Billing" in page.text
    assert "Create webhook" not in page.text
    assert f"{webhook_id}/remove" not in page.text
    assert (await browser.get(f"{WEBHOOKS}/new")).status_code == 403
    assert (await browser.post(f"{WEBHOOKS}/{webhook_id}/remove")).status_code == 403
