"""Nothing typed is lost when the session is over: sign-in carries the form along, and shows or sends it again."""

import re
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, func, select

from coro_events.store.tables import sessions, webhooks
from coro_events.store.unit import Database
from tests.integration.api.console.browsing import ORIGIN, SIGN_IN, WEBHOOKS, Browser, make_fields, text_of
from tests.support.people import PASSWORD

EMAIL = "administrator@acme.example"
NEW = f"{WEBHOOKS}/new?workspace=acme-east"
KEPT = f"{SIGN_IN}/kept"
ODD = 'Two\nlines, <b>"quoted"</b> & more'


def hidden(page: httpx.Response) -> list[tuple[str, str]]:
    """Return the hidden fields of a page, in order."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
    return [(unescape(name), unescape(value)) for name, value in found]


async def send(browser: Browser, address: str, fields: list[tuple[str, str]], **more: str) -> httpx.Response:
    """Send a form as a browser does, whose names may stand there more than once."""
    sent: dict[str, list[str]] = {}
    for name, value in [*fields, *more.items()]:
        sent.setdefault(name, []).append(value)
    return await browser.http.post(address, data=sent, headers={"Origin": ORIGIN})


async def end_sessions(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(delete(sessions))


async def count_webhooks(database: Database) -> int:
    async with database.read() as connection:
        count: int = await connection.scalar(select(func.count()).select_from(webhooks))
    return count


@pytest.fixture
async def interrupted(browser: Browser, database: Database) -> httpx.Response:
    """Return the answer to the form of a new webhook, sent after the end of the session."""
    await end_sessions(database)
    return await browser.post(NEW, make_fields(description=ODD))


async def test_form_comes_back_filled_in_after_sign_in(
    browser: Browser, database: Database, interrupted: httpx.Response
) -> None:
    assert interrupted.status_code == 401
    assert "Your session is over, and nothing was saved." in text_of(interrupted)
    assert interrupted.headers["cache-control"] == "no-store"

    wrong = await send(browser, SIGN_IN, hidden(interrupted), email=EMAIL, password="wrong")
    assert wrong.status_code == 400
    signed_in = await send(browser, SIGN_IN, hidden(wrong), email=EMAIL, password=PASSWORD)
    assert signed_in.status_code == 200
    assert PASSWORD not in signed_in.text
    assert f'action="{NEW}"' in unescape(signed_in.text)
    shown = await send(browser, NEW, hidden(signed_in))

    assert shown.status_code == 200, text_of(shown)
    for value in ("Billing", "a secret of the receiver", "https://public.example/hook", ODD):
        assert value in unescape(shown.text)
    assert shown.text.count(" checked") == 3
    assert await count_webhooks(database) == 0


async def test_form_is_sent_by_the_new_session_alone(browser: Browser, interrupted: httpx.Response) -> None:
    before = browser.csrf
    signed_in = await send(browser, SIGN_IN, hidden(interrupted), email=EMAIL, password=PASSWORD)
    fields = dict(hidden(signed_in))
    assert fields["csrf"] not in {"", before}
    assert before not in signed_in.text
    for token in (before, ""):
        answer = await browser.post(NEW, make_fields(csrf=token))
        assert answer.status_code == 403


async def test_form_goes_on_when_somebody_has_signed_in_in_another_tab(
    browser: Browser, interrupted: httpx.Response
) -> None:
    still_out = await send(browser, KEPT, hidden(interrupted))
    assert still_out.status_code == 401
    assert hidden(still_out) == hidden(interrupted)
    await browser.sign_in(EMAIL)
    page = await send(browser, KEPT, hidden(still_out))
    assert page.status_code == 200
    assert ("csrf", browser.csrf) in hidden(page)
    assert ("do", "show") in hidden(page)


async def test_form_of_the_session_before_comes_back_filled_in(browser: Browser, database: Database) -> None:
    before = browser.csrf
    await browser.sign_in(EMAIL)
    refused = await browser.post(NEW, make_fields(csrf=before))
    assert refused.status_code == 403
    shown = await send(browser, NEW, hidden(refused))
    assert (shown.status_code, 'value="Billing"' in shown.text) == (200, True)
    assert await count_webhooks(database) == 0


async def test_other_forms_are_sent_again_when_asked_to(browser: Browser, database: Database) -> None:
    await browser.sign_in("super_admin@acme.example")
    await end_sessions(database)
    address = "/portal/settings/connectors/api-credentials"
    answer = await browser.post(address, {"name": "Billing"})
    page = await send(browser, SIGN_IN, hidden(answer), email="super_admin@acme.example", password=PASSWORD)
    assert "Send it now" in text_of(page)
    assert ("name", "Billing") in hidden(page)


async def test_form_of_a_button_alone_leads_to_sign_in(browser: Browser, database: Database) -> None:
    await end_sessions(database)
    answer = await browser.post("/portal/sign-out")
    assert answer.status_code == 303


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
@pytest.mark.parametrize("address", [NEW, KEPT, SIGN_IN])
async def test_nothing_is_kept_of_a_form_from_elsewhere(
    stranger: Browser, address: str, headers: dict[str, str]
) -> None:
    fields: dict[str, Any] = {**make_fields(), "kept-for": NEW, "kept.name": "Evil"}
    answer = await stranger.http.post(address, data=fields, headers=headers)
    assert answer.status_code == 403
    assert "Evil" not in answer.text


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "/portal//evil", "javascript:alert(1)"])
async def test_form_is_never_sent_elsewhere(stranger: Browser, address: str) -> None:
    fields = [("kept-for", address), ("kept.name", "Billing")]
    answer = await send(stranger, SIGN_IN, fields, email=EMAIL, password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, WEBHOOKS)


async def test_form_that_is_too_long_is_refused_before_sign_in(stranger: Browser) -> None:
    answer = await send(stranger, NEW, [("description", "x" * 300_000)])
    assert answer.status_code == 413
