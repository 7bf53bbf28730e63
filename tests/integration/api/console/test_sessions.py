"""Signing in and out without a browser's help: cookies, limits, ends of sessions, and forms that are not ours."""

import uuid
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select, update

from coro_events.store.tables import sessions, users
from coro_events.store.unit import Database
from services.api.settings import ApiSettings
from tests.integration.api.calls import activities
from tests.integration.api.console.browsing import ORIGIN, SIGN_IN, WEBHOOKS, Browser, make_fields, text_of
from tests.support.clock import FakeClock
from tests.support.people import PASSWORD

EMAIL = "administrator@acme.example"


async def count_sessions(database: Database) -> int:
    async with database.read() as connection:
        count: int = await connection.scalar(select(func.count()).select_from(sessions))
    return count


async def user_id(database: Database, email: str = EMAIL) -> str:
    async with database.read() as connection:
        return str(await connection.scalar(select(users.c.id).where(users.c.email == email)))


async def test_session_is_a_cookie_that_scripts_cannot_read(stranger: Browser, database: Database) -> None:
    answer = await stranger.sign_in(f"  {EMAIL.upper()} ")
    cookie = answer.headers["set-cookie"].lower()
    for part in ("httponly", "samesite=lax", "path=/", "max-age=43200"):
        assert part in cookie
    async with database.read() as connection:
        (row,) = await connection.rows(select(sessions))
    # Whoever reads the table cannot sign in with it.
    assert stranger.http.cookies["coro-session"].encode() not in row.token_hash
    assert len(row.token_hash) == 32


async def test_sign_in_failure_and_sign_out_are_in_the_activity_log(stranger: Browser, database: Database) -> None:
    await stranger.sign_in(EMAIL, "wrong")
    await stranger.sign_in(EMAIL)
    await stranger.post("/portal/sign-out")
    told = await activities(database, subject=await user_id(database))
    assert [(action, actor) for action, actor, _ in told] == [
        (action, f"user:{EMAIL}") for action in ("user.sign_in_failed", "user.signed_in", "user.signed_out")
    ]
    assert await count_sessions(database) == 0


@pytest.mark.parametrize("email", [EMAIL, "nobody@acme.example", "no\x00address", ""])
async def test_what_is_wrong_is_not_told_apart(stranger: Browser, email: str) -> None:
    answer = await stranger.sign_in(email, "wrong")
    assert answer.status_code == 400
    assert "The email address or the password is not right." in text_of(answer)
    assert "set-cookie" not in answer.headers


async def test_user_without_a_password_cannot_sign_in_with_one(stranger: Browser, database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(update(users).values(password_hash=None))
    assert (await stranger.sign_in(EMAIL)).status_code == 400


async def test_many_failures_are_slowed_down(stranger: Browser, clock: FakeClock) -> None:
    for _ in range(10):
        assert (await stranger.sign_in(EMAIL, "wrong")).status_code == 400
    answer = await stranger.sign_in(EMAIL)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "30"
    assert "Try again in 30 seconds." in text_of(answer)
    await clock.advance(30)
    assert (await stranger.sign_in(EMAIL)).status_code == 303


async def test_token_changes_at_every_sign_in_and_the_old_one_opens_nothing(
    browser: Browser, database: Database
) -> None:
    before = browser.http.cookies["coro-session"]
    await browser.sign_in(EMAIL)
    assert browser.http.cookies["coro-session"] != before
    assert await count_sessions(database) == 1


async def test_session_ends_when_it_is_idle(browser: Browser, clock: FakeClock) -> None:
    for _ in range(3):
        await clock.advance(7_000)
        assert (await browser.get(WEBHOOKS)).status_code == 200
    await clock.advance(7_200)
    answer = await browser.get(f"{WEBHOOKS}?workspace=acme-east")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{SIGN_IN}?told=over&then=")


async def test_session_ends_at_the_latest_after_half_a_day(browser: Browser, clock: FakeClock) -> None:
    for _ in range(7):
        await clock.advance(6_000)
        assert (await browser.get(WEBHOOKS)).status_code == 200
    await clock.advance(1_200)
    assert (await browser.get(WEBHOOKS)).status_code == 303


async def test_session_knows_the_user_as_the_user_now_is(browser: Browser, database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(update(users).values(role="viewer"))
    assert (await browser.get(f"{WEBHOOKS}/new")).status_code == 403
    async with database.write() as connection:
        await connection.execute(update(users).values(workspace_id="rival"))
    assert (await browser.get(f"{WEBHOOKS}?workspace=acme")).status_code == 403


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": f"{ORIGIN}.evil.example"}]
)
async def test_form_from_elsewhere_is_refused(browser: Browser, headers: dict[str, str]) -> None:
    answer = await browser.post(f"{WEBHOOKS}/new", make_fields(), headers=headers)
    assert answer.status_code == 403
    assert "This form is not valid any more" in text_of(answer)
    answer = await browser.http.post(SIGN_IN, data={"email": EMAIL, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 403


async def test_form_that_does_not_say_where_it_comes_from_is_refused(browser: Browser) -> None:
    answer = await browser.http.post(f"{WEBHOOKS}/new", data={"csrf": browser.csrf, **make_fields()})
    assert answer.status_code == 403


@pytest.mark.parametrize("csrf", ["", "guessed", "é\ud800".encode("utf-8", "replace").decode()])
async def test_form_without_the_token_of_its_session_is_refused(browser: Browser, csrf: str) -> None:
    answer = await browser.post(f"{WEBHOOKS}/new", make_fields(csrf=csrf))
    assert answer.status_code == 403


async def test_every_form_of_every_page_is_refused_without_its_token(browser: Browser, settings: ApiSettings) -> None:
    assert settings.environment == "test"
    some = uuid.uuid4()
    for path in ("new", f"{some}/edit", f"{some}/test", f"{some}/enable", f"{some}/disable", f"{some}/remove"):
        answer = await browser.post(f"{WEBHOOKS}/{path}", {"csrf": "no"})
        assert answer.status_code == 403, path
    for address in ("/portal/sign-out", "/portal/sign-out-everywhere"):
        assert (await browser.post(address, {"csrf": "no"})).status_code == 403, address


@pytest.mark.parametrize(
    "then",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/portal//evil.example",
        "/portal/\t/evil.example",
        "/v1/settings/webhooks",
        "javascript:alert(1)",
    ],
)
async def test_sign_in_leads_nowhere_else(stranger: Browser, then: str) -> None:
    fields = {"email": EMAIL, "password": PASSWORD, "then": then}
    answer = await stranger.http.post(SIGN_IN, data=fields, headers={"Origin": ORIGIN})
    assert answer.headers["location"] == WEBHOOKS


@pytest.mark.parametrize("workspace", ["rival", "nowhere", "acme\x00", "../acme"])
async def test_foreign_tree_is_refused(browser: Browser, workspace: str) -> None:
    for path in ("", "/new"):
        answer = await browser.get(f"{WEBHOOKS}{path}", params={"workspace": workspace})
        assert answer.status_code == 403
    address = str(httpx.URL(f"{WEBHOOKS}/new", params={"workspace": workspace}))
    assert (await browser.post(address, make_fields())).status_code == 403
    assert (await browser.get(f"{WEBHOOKS}?workspace=acme-east")).status_code == 200


async def test_pages_tell_browsers_to_take_nothing_from_elsewhere(browser: Browser) -> None:
    for answer in (
        await browser.get(WEBHOOKS),
        await browser.get("/portal/nowhere"),
        await browser.get("/portal/workspaces"),
    ):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
    page = await browser.get(WEBHOOKS)
    assert page.headers["cache-control"] == "no-store"
    for inline in ("style=", "<style", "onclick=", "<script>"):
        assert inline not in page.text


async def test_files_are_kept_for_ever_and_have_another_address_when_they_change(stranger: Browser) -> None:
    page = await stranger.get(SIGN_IN)
    address = page.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    answer = await stranger.get(address)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert (await stranger.get(address.replace("/static/", "/static/0"))).status_code == 404


@pytest.mark.parametrize("path", ["/", "/portal", "/portal/"])
async def test_console_begins_at_the_webhooks(stranger: Browser, path: str) -> None:
    answer = await stranger.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, WEBHOOKS)


async def test_part_of_a_page_says_that_the_session_is_over(stranger: Browser) -> None:
    answer = await stranger.get(WEBHOOKS, headers={"X-Coro-Part": "1"})
    assert answer.status_code == 401


def test_cookies_are_for_https_wherever_there_is_https(settings: ApiSettings) -> None:
    assert not settings.has_https()
    assert settings.model_copy(update={"environment": "production"}).has_https()
    assert settings.model_copy(update={"console_url": "https://webhooks.example.com"}).has_https()
    assert settings.session_life().idle == timedelta(hours=2)
