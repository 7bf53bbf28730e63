"""A new secret for a webhook, with a time in which the one before signs too."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from coro_events.runtime.clock import SystemClock
from coro_events.store.tables import api_credentials, webhooks
from coro_events.store.unit import Database
from services.api.webhooks.rules import MASK
from services.dispatcher.deliver.request import make_request
from services.dispatcher.deliver.sign import coro_signature
from services.dispatcher.match.targets import Targets
from tests.integration.api.calls import WEBHOOKS, Api, activities, messages
from tests.support.clock import FakeClock
from tests.support.dispatching import make_delivery
from tests.support.makers import make_vault

HOUR_MS = 3_600_000
OLD, NEW, NEWER = "the old secret", "the new secret", "the newer secret"


async def rotate(api: Api, webhook: dict[str, Any], **body: Any) -> httpx.Response:
    headers = body.pop("headers", {})
    return await api.call("POST", f"{WEBHOOKS}/{webhook['id']}/rotate-secret", json=body, headers=headers)


async def sent(database: Database) -> dict[str, str]:
    """Return the headers of a delivery as the dispatcher would sign it now."""
    statement = text(
        "select id, workspace_id, version, url, secret_sealed, headers_sealed,"
        " case when previous_secret_until > now() then previous_secret_sealed end as previous_secret_sealed,"
        " null as deprecated_at, null as expires_at from webhooks"
    )
    async with database.read() as connection:
        row: Any = await connection.row(statement)
    return make_request(make_delivery(Targets(make_vault()).of(row)), SystemClock().now()).headers


async def client_of(database: Database) -> str:
    async with database.read() as connection:
        return str(await connection.scalar(select(api_credentials.c.client_id)))


async def test_new_secret_is_shown_once_and_the_old_one_has_a_day(
    api: Api, database: Database, clock: FakeClock
) -> None:
    webhook = await api.create(secret=OLD)
    assert webhook["previousSecretExpires"] is None

    answer = await rotate(api, webhook, secret=NEW)

    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == '"2"'
    assert answer.headers["cache-control"] == "no-store"
    until = answer.json()["previousSecretExpires"]
    assert answer.json()["secret"] == NEW
    assert until == int(clock.now().timestamp() * 1000) + 24 * HOUR_MS
    shown = (await api.get(f"{WEBHOOKS}/{webhook['id']}")).json()
    assert (shown["secret"], shown["previousSecretExpires"]) == (MASK, until)
    assert (await api.get(WEBHOOKS)).json()["items"][0]["previousSecretExpires"] == until
    # What was read can be sent back.
    assert (await api.put(shown)).status_code == 200

    await clock.advance(24 * 3600 - 1)
    late = await api.get(f"{WEBHOOKS}/{webhook['id']}")
    assert late.json()["previousSecretExpires"] == until
    await clock.advance(1)
    await api.sign_in(await client_of(database))
    assert (await api.get(f"{WEBHOOKS}/{webhook['id']}")).json()["previousSecretExpires"] is None


async def test_secret_is_made_when_none_is_given(api: Api) -> None:
    webhook = await api.create(secret=OLD)

    secrets = {(await rotate(api, webhook)).json()["secret"] for _ in range(2)}

    assert len(secrets) == 2
    assert all(len(secret) >= 40 for secret in secrets)


async def test_both_secrets_sign_while_the_overlap_lasts_the_newest_first(api: Api, database: Database) -> None:
    webhook = await api.create(secret=OLD)
    await rotate(api, webhook, secret=NEW)

    headers = await sent(database)

    newest, previous = headers["webhook-signature"].split(" ")
    assert newest.startswith("v1,")
    assert previous.startswith("v1,")
    assert newest != previous
    assert headers["X-Coro-Signature"] == coro_signature(NEW.encode(), headers["X-Coro-Hook-Id"])


async def test_only_the_last_two_secrets_sign_when_it_is_rotated_twice(api: Api, database: Database) -> None:
    webhook = await api.create(secret=OLD)
    await rotate(api, webhook, secret=NEW)
    await rotate(api, webhook, secret=NEWER)

    async with database.read() as connection:
        row = await connection.row(select(webhooks))

    assert row is not None
    vault = make_vault()
    assert vault.open(row.secret_sealed, row=webhook["id"], field="secret") == NEWER
    assert vault.open(row.previous_secret_sealed, row=webhook["id"], field="secret") == NEW


async def test_old_secret_signs_no_more_when_its_time_is_over(api: Api, database: Database) -> None:
    webhook = await api.create(secret=OLD)
    await rotate(api, webhook, secret=NEW, overlapHours=1)
    assert " " in (await sent(database))["webhook-signature"]

    async with database.write() as connection:
        await connection.execute(
            webhooks.update().values(previous_secret_until=SystemClock().now() - timedelta(seconds=1))
        )

    assert " " not in (await sent(database))["webhook-signature"]


@pytest.mark.parametrize("how", ["rotate", "edit"])
async def test_old_secret_signs_no_more_when_it_is_replaced_at_once(api: Api, database: Database, how: str) -> None:
    webhook = await api.create(secret=OLD)
    rotated = (await rotate(api, webhook, secret=NEW)).json()

    if how == "rotate":
        answer = await rotate(api, webhook, secret=NEWER, overlapHours=0)
    else:
        answer = await api.put(rotated, secret=NEWER)

    assert answer.json()["previousSecretExpires"] is None
    assert " " not in (await sent(database))["webhook-signature"]


async def test_overlap_goes_on_when_something_else_is_edited(api: Api) -> None:
    webhook = await api.create(secret=OLD)
    rotated = (await rotate(api, webhook, secret=NEW)).json()

    answer = await api.put({**rotated, "secret": MASK}, name="Renamed")

    assert answer.json()["previousSecretExpires"] == rotated["previousSecretExpires"]


async def test_rotation_is_told_without_the_secret(api: Api, database: Database) -> None:
    webhook = await api.create(secret=OLD)
    await rotate(api, webhook, secret=NEW, overlapHours=2)

    action, _, detail = (await activities(database, subject=webhook["id"]))[-1]
    told = await messages(database)

    assert (action, detail) == ("webhook.secret_rotated", {"name": webhook["name"], "overlapHours": 2})
    assert told[-1]["type"] == "webhook-updated"
    assert NEW not in str(told)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"secret": "short"}, "secret"),
        ({"secret": MASK}, "secret"),
        ({"secret": OLD}, "secret"),
        ({"secret": "control\x07character"}, "secret"),
        ({"overlapHours": -1}, "overlapHours"),
        ({"overlapHours": 169}, "overlapHours"),
        ({"overlapHours": 1.5}, "overlapHours"),
        ({"overlap": 1}, "overlap"),
    ],
)
async def test_rotation_is_refused_with_400_when_a_field_breaks_a_rule(
    api: Api, body: dict[str, Any], field: str
) -> None:
    webhook = await api.create(secret=OLD)

    answer = await rotate(api, webhook, **body)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert OLD not in answer.text


async def test_rotation_is_refused_when_the_webhook_was_changed_or_is_not_there(api: Api, database: Database) -> None:
    webhook = await api.create(secret=OLD)

    assert (await rotate(api, webhook, headers={"If-Match": '"7"'})).status_code == 412
    assert (await rotate(api.elsewhere("acme-east"), webhook)).status_code == 404
    assert (await rotate(api, {"id": "nonsense"})).status_code == 404
    async with database.write() as connection:
        await connection.execute(webhooks.update().values(state="expired"))
    assert (await rotate(api, webhook)).status_code == 409
