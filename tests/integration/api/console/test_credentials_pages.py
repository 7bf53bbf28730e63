"""API credentials at the console: made once, shown once, revoked on request, and none of another workspace."""

import re
import uuid

import pytest

from coro_events.store.unit import Database
from tests.integration.api.calls import activities, insert_credential
from tests.integration.api.console.browsing import Browser, text_of

CREDENTIALS = "/portal/settings/connectors/api-credentials"


@pytest.fixture
async def admin(browser: Browser) -> Browser:
    """Return a browser in which a super admin of `acme` is signed in."""
    await browser.sign_in("super_admin@acme.example")
    return browser


async def form(admin: Browser, **changes: str) -> dict[str, str]:
    """Return the fields of a new form."""
    (key,) = re.findall(r'name="key" value="([^"]+)"', (await admin.get(CREDENTIALS)).text)
    return {"name": "Billing", "role": "viewer", "expires": "", "key": key} | changes


async def test_secret_is_shown_once_and_the_same_form_makes_no_second_credential(admin: Browser) -> None:
    fields = await form(admin)
    page = await admin.post(CREDENTIALS, fields)
    assert page.status_code == 200
    (secret,) = re.findall(r"Client secret</dt><dd>.*?<code>([^<]+)</code>", page.text)
    again = await admin.post(CREDENTIALS, fields)
    assert "This form was sent before" in text_of(again)
    listing = await admin.get(CREDENTIALS)
    assert secret not in again.text + listing.text
    assert listing.text.count("<tr") == 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": " "}, "Must not be blank"),
        ({"expires": "2020-01-01T00:00"}, "Must be in the future"),
        ({"expires": "soon"}, "Give a day and a time"),
        ({"role": "service"}, "Must be 'viewer', 'administrator' or 'super_admin'"),
    ],
)
async def test_what_is_wrong_is_told_beside_what_was_typed(admin: Browser, changes: dict[str, str], told: str) -> None:
    page = await admin.post(CREDENTIALS, await form(admin, **{"name": "Typed <here>"} | changes))
    assert page.status_code == 400
    assert told in text_of(page)
    if "name" not in changes:
        assert 'value="Typed &lt;here&gt;"' in page.text


async def test_eleventh_credential_is_refused_with_what_to_do(admin: Browser, database: Database) -> None:
    for number in range(10):
        await insert_credential(database, client_id=f"client-{number}")
    page = await admin.post(CREDENTIALS, await form(admin))
    assert page.status_code == 400
    assert "revoke one first" in text_of(page)


async def test_credential_is_revoked_after_a_question(admin: Browser, database: Database) -> None:
    credential = await insert_credential(database, name="Old <reports>")
    page = await admin.get(f"{CREDENTIALS}/{credential}/revoke")
    assert "Revoke “Old &lt;reports&gt;”?" in page.text
    text = await admin.follow(await admin.post(f"{CREDENTIALS}/{credential}/revoke"))
    assert "The credential is revoked." in text
    ((action, actor, _),) = await activities(database, subject=str(credential))
    assert (action, actor) == ("credential.revoked", "user:super_admin@acme.example")


async def test_credential_of_another_workspace_is_not_there(admin: Browser, database: Database) -> None:
    foreign = await insert_credential(database, workspace_id="rival")
    for credential in (foreign, uuid.uuid4(), "nothing"):
        assert (await admin.get(f"{CREDENTIALS}/{credential}/revoke")).status_code == 404
        assert (await admin.post(f"{CREDENTIALS}/{credential}/revoke")).status_code == 404
