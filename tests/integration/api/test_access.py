"""Who gets a token, and what it opens."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from coro_events.store.tables import api_credentials
from coro_events.store.unit import Database
from tests.integration.api.calls import SECRET, WEBHOOKS, Api, activities, ask_for_token, insert_credential
from tests.support.clock import FakeClock
from tests.support.makers import insert_workspace
from tests.unit.api.bodies import make_body


async def change_credential(database: Database, **changes: Any) -> None:
    """Change every credential."""
    async with database.write() as connection:
        await connection.execute(update(api_credentials).values(changes))


async def test_token_is_issued_as_published_when_id_and_secret_match(
    http: httpx.AsyncClient, database: Database
) -> None:
    await insert_workspace(database, "acme")
    credential_id = await insert_credential(database)

    answer = await ask_for_token(http)

    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "token_type", "expires_in"}
    assert answer.json()["token_type"] == "Bearer"
    assert answer.json()["expires_in"] == 86_400
    assert answer.headers["cache-control"] == "no-store"
    assert [action for action, _, _ in await activities(database, subject=str(credential_id))] == [
        "credential.signed_in"
    ]


@pytest.mark.parametrize(
    "changes", [{"client_secret": "wrong"}, {"client_id": "nobody"}, {"client_secret": SECRET.upper()}]
)
async def test_token_is_refused_when_id_and_secret_do_not_match(
    http: httpx.AsyncClient, database: Database, changes: dict[str, str]
) -> None:
    await insert_workspace(database, "acme")
    await insert_credential(database)

    answer = await ask_for_token(http, **changes)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["error"] == "invalid_client"
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"grant_type": "password"}, ["grant_type"]),
        ({"client_id": "", "audience": 7, "scope": "all"}, ["client_id", "audience", "scope"]),
        ({"client_id": "a\x00b"}, ["client_id"]),
        ({"client_secret": None}, ["client_secret"]),
    ],
)
async def test_token_is_refused_with_400_when_the_body_is_wrong(
    http: httpx.AsyncClient, changes: dict[str, Any], fields: list[str]
) -> None:
    answer = await ask_for_token(http, **changes)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == fields


async def test_token_is_refused_and_does_not_open_when_its_credential_is_revoked(
    api: Api, database: Database, clock: FakeClock
) -> None:
    assert (await api.get(WEBHOOKS)).status_code == 200

    await change_credential(database, revoked_at=clock.now(), client_id="gone")
    assert (await ask_for_token(api.http, client_id="gone")).status_code == 401
    await change_credential(database, revoked_at=None, client_id="back")
    assert (await ask_for_token(api.http, client_id="back")).status_code == 200
    # The token of before names a client that is no more.
    assert (await api.get(WEBHOOKS)).status_code == 401


async def test_token_does_not_open_when_its_credential_has_expired(
    api: Api, database: Database, clock: FakeClock
) -> None:
    await change_credential(database, expires_at=clock.now() + timedelta(hours=1))
    assert (await api.get(WEBHOOKS)).status_code == 200

    await clock.advance(3600)
    answer = await api.get(WEBHOOKS)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_last_use_is_kept_at_most_once_a_minute(api: Api, database: Database, clock: FakeClock) -> None:
    async def last_use() -> Any:
        async with database.read() as connection:
            return await connection.scalar(select(api_credentials.c.last_used_at))

    signed_in_at = clock.now()
    await clock.advance(59)
    await api.get(WEBHOOKS)
    assert await last_use() == signed_in_at
    await clock.advance(1)
    await api.get(WEBHOOKS)
    assert await last_use() == clock.now()


@pytest.mark.parametrize("header", [None, "", "Basic abc", "Bearer", "Bearer nonsense", "Bearer a.b.c"])
async def test_call_is_refused_when_it_carries_no_token(api: Api, header: str | None) -> None:
    headers = {"Workspace": "acme"} | ({} if header is None else {"Authorization": header})

    answer = await api.http.get(WEBHOOKS, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["traceId"] == answer.headers["x-coro-trace-id"]


async def test_call_is_refused_when_it_names_no_workspace(api: Api) -> None:
    answer = await api.http.get(WEBHOOKS, headers={"Authorization": f"Bearer {api.token}"})

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["Workspace"]


async def test_workspace_is_reached_when_it_is_the_callers_or_below(api: Api, database: Database) -> None:
    await insert_workspace(database, "acme-east-1", parent="acme-east")

    for workspace in ("acme", "acme-east", "acme-east-1"):
        assert (await api.elsewhere(workspace).get(WEBHOOKS)).status_code == 200


async def test_workspace_is_refused_alike_when_it_is_another_tree_or_unknown(api: Api) -> None:
    answers = [
        await api.elsewhere(workspace).get(WEBHOOKS)
        for workspace in ("rival", "nowhere", "a" * 500, "acm", "%", "a\x00")
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.json()["detail"] for answer in answers}) == 1


async def test_workspace_above_is_refused_when_the_credential_is_of_a_child(api: Api, database: Database) -> None:
    await insert_credential(database, client_id="east", workspace_id="acme-east")
    await api.sign_in("east")

    assert (await api.elsewhere("acme-east").get(WEBHOOKS)).status_code == 200
    assert (await api.get(WEBHOOKS)).status_code == 403


async def test_viewer_reads_and_changes_nothing(api: Api, database: Database) -> None:
    webhook = await api.create()
    await insert_credential(database, client_id="viewer", role="viewer")
    await api.sign_in("viewer")

    assert (await api.get(WEBHOOKS)).status_code == 200
    assert (await api.get(f"{WEBHOOKS}/{webhook['id']}")).status_code == 200
    refused = [
        await api.call("POST", WEBHOOKS, json=make_body(name="Another")),
        await api.put(webhook, name="Another"),
        await api.call("DELETE", f"{WEBHOOKS}/{webhook['id']}"),
        await api.get(f"{WEBHOOKS}/{webhook['id']}/test"),
    ]
    assert {answer.status_code for answer in refused} == {403}
    assert (await api.get(f"{WEBHOOKS}/{webhook['id']}")).json()["name"] == "Billing"


async def test_service_credential_opens_nothing_that_is_for_people(api: Api, database: Database) -> None:
    await insert_credential(database, client_id="service", role="service")
    await api.sign_in("service")

    assert (await api.get(WEBHOOKS)).status_code == 403
