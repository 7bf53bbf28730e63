"""Sign-in by OpenID Connect, at a real provider's process."""

import asyncio
import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from sqlalchemy import select, update

from coro_events.store.tables import users
from coro_events.store.unit import Database
from services.api.app import make_rooms, make_web
from services.api.edge import Edge
from services.api.metrics import Metrics
from services.api.sessions.http import HttpProvider
from services.api.settings import ApiSettings
from tests.integration.api.calls import activities
from tests.integration.api.console.browsing import SIGN_IN, WEBHOOKS, Browser, text_of
from tests.integration.api.console.test_sessions import user_id
from tests.support.clock import FakeClock
from tests.support.processes import free_port
from tests.support.resolving import FakeResolver
from tests.support.waiting import wait_until

EMAIL = "administrator@acme.example"
OPENID = "/portal/sign-in/openid"
PEOPLE = (
    {"sub": "known", "email": "Administrator@acme.example", "email_verified": True},
    {"sub": "unverified", "email": EMAIL, "email_verified": False},
    {"sub": "stranger", "email": "somebody@else.example", "email_verified": True},
)


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Run a provider that knows three people."""
    port = free_port()
    claims = [part for one in PEOPLE for part in ("--user-claims", json.dumps(one))]
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "oidc_provider_mock",
        "--port",
        str(port),
        "--require-nonce",
        "true",
    ]
    process = subprocess.Popen(  # noqa: S603 - a tool of this environment
        [*command, *claims], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


@pytest.fixture
def settings(settings: ApiSettings, issuer: str) -> ApiSettings:
    """Return the settings of a console that knows the provider."""
    provider = {"oidc_issuer": issuer, "oidc_client_id": "console", "oidc_client_secret": SecretStr("of the console")}
    return settings.model_copy(update=provider)


@pytest.fixture
async def http(
    settings: ApiSettings, database: Database, clock: FakeClock, issuer: str
) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of the application, which itself calls the provider."""
    provider = HttpProvider()
    rooms = make_rooms(
        settings,
        database=database,
        clock=clock,
        resolver=FakeResolver(),
        stopping=asyncio.Event(),
        provider=provider,
    )
    app = Edge(make_web(rooms), clock=clock, metrics=Metrics(CollectorRegistry()))
    async with httpx.AsyncClient(trust_env=False) as outside:

        async def answers() -> bool:
            try:
                return (await outside.get(f"{issuer}/.well-known/openid-configuration")).is_success
            except httpx.TransportError:
                return False

        await wait_until(answers, what="the provider to answer", limit_s=30, every_s=0.05)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as client:
        yield client
    await provider.close()


async def come_back(browser: Browser, subject: str, *, then: str = "") -> httpx.Response:
    """Go to the provider, sign in there, and return what the console says to who comes back."""
    departure = await browser.get(f"{OPENID}?then={then}")
    assert departure.status_code == 303, departure.text
    async with httpx.AsyncClient(trust_env=False) as outside:
        answer = await outside.post(departure.headers["location"], data={"sub": subject})
    assert answer.status_code in {302, 303}, answer.text
    return await browser.get(answer.headers["location"].removeprefix("http://api.test"))


async def test_known_person_is_signed_in_and_linked(stranger: Browser, database: Database, issuer: str) -> None:
    assert "Continue with single sign-on" in (await stranger.get(SIGN_IN)).text
    answer = await come_back(stranger, "known", then=f"{WEBHOOKS}/new")
    assert answer.status_code == 303, text_of(answer)
    assert answer.headers["location"] == f"{WEBHOOKS}/new"
    assert (await stranger.get(WEBHOOKS)).status_code == 200
    async with database.read() as connection:
        row = await connection.row(select(users).where(users.c.email == EMAIL))
    assert row is not None
    assert (row.oidc_issuer, row.oidc_subject) == (issuer, "known")
    told = await activities(database, subject=await user_id(database))
    assert [(action, detail) for action, _, detail in told] == [("user.signed_in", {"by": "openid"})]


async def test_what_was_typed_stays_while_a_person_signs_in_in_a_new_tab(stranger: Browser) -> None:
    answer = await stranger.post(f"{WEBHOOKS}/new", {"name": "Billing", "do": "save"})
    assert answer.status_code == 401
    assert 'href="/portal/sign-in/openid" target="_blank"' in answer.text
    assert 'formaction="/portal/sign-in/kept"' in answer.text
    assert (await come_back(stranger, "known")).status_code == 303
    kept = {"kept-for": f"{WEBHOOKS}/new", "kept.name": "Billing", "kept.do": "save"}
    page = await stranger.post("/portal/sign-in/kept", kept)
    assert (page.status_code, "Back to the form" in page.text) == (200, True)


async def test_linked_person_is_known_by_the_subject_when_the_address_has_changed(
    stranger: Browser, database: Database
) -> None:
    assert (await come_back(stranger, "known")).status_code == 303
    async with database.write() as connection:
        await connection.execute(update(users).where(users.c.email == EMAIL).values(email="new@acme.example"))
    assert (await come_back(stranger, "known")).status_code == 303


@pytest.mark.parametrize(
    ("subject", "told"),
    [("stranger", "there is no user here"), ("unverified", "does not vouch for an email address")],
)
async def test_person_that_is_no_user_is_refused(stranger: Browser, subject: str, told: str) -> None:
    answer = await come_back(stranger, subject)
    assert answer.status_code == 400
    assert told in text_of(answer)
    assert (await stranger.get(WEBHOOKS)).status_code == 303


async def test_departure_carries_state_nonce_and_challenge(stranger: Browser) -> None:
    departure = await stranger.get(OPENID)
    query = parse_qs(urlsplit(departure.headers["location"]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == [f"http://api.test{OPENID}/callback"]
    for name in ("state", "nonce", "code_challenge"):
        assert re.fullmatch(r"[\w-]{43}", query[name][0]), name
    cookie = departure.headers["set-cookie"].lower()
    assert "httponly" in cookie
    kept = json.loads(base64.urlsafe_b64decode(stranger.http.cookies["coro-openid"].split(".")[1] + "=="))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(kept["verifier"].encode()).digest()).decode().rstrip("=")
    assert query["code_challenge"] == [challenge]


async def test_answer_that_was_not_asked_for_in_this_browser_is_refused(stranger: Browser) -> None:
    departure = await stranger.get(OPENID)
    async with httpx.AsyncClient(trust_env=False) as outside:
        answer = await outside.post(departure.headers["location"], data={"sub": "known"})
    target = answer.headers["location"].removeprefix("http://api.test")
    stranger.http.cookies.clear()
    assert (await stranger.get(target)).status_code == 400
    await stranger.get(OPENID)
    answer = await stranger.get(target)
    assert answer.status_code == 400
    assert "begin again" in text_of(answer)


async def test_code_is_good_for_one_sign_in(stranger: Browser) -> None:
    departure = await stranger.get(OPENID)
    cookie = stranger.http.cookies["coro-openid"]
    async with httpx.AsyncClient(trust_env=False) as outside:
        answer = await outside.post(departure.headers["location"], data={"sub": "known"})
    target = answer.headers["location"].removeprefix("http://api.test")
    assert (await stranger.get(target)).status_code == 303
    stranger.http.cookies.clear()
    stranger.http.cookies.set("coro-openid", cookie, domain="api.test")
    assert (await stranger.get(target)).status_code == 503
    assert (await stranger.get(WEBHOOKS)).status_code == 303


async def test_sign_in_that_took_too_long_is_begun_again(stranger: Browser, clock: FakeClock) -> None:
    departure = await stranger.get(OPENID)
    async with httpx.AsyncClient(trust_env=False) as outside:
        answer = await outside.post(departure.headers["location"], data={"sub": "known"})
    await clock.advance(601)
    answer = await stranger.get(answer.headers["location"].removeprefix("http://api.test"))
    assert answer.status_code == 400


async def test_password_signs_in_beside_the_provider(stranger: Browser) -> None:
    assert (await stranger.sign_in(EMAIL)).status_code == 303
