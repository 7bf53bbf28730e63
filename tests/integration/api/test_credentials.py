"""API credentials: made, listed and revoked."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from coro_events.store.tables import api_credentials
from coro_events.store.unit import Database
from services.api.access.throttle import CLIENT_FAILURES
from services.api.credentials.service import MAX_ACTIVE_CREDENTIALS
from services.api.settings import ApiSettings
from tests.integration.api.calls import WEBHOOKS, Api, activities, ask_for_token, insert_credential
from tests.support.clock import FakeClock
from tests.unit.api.bodies import make_body

CREDENTIALS = "/v1/settings/api-credentials"


@pytest.fixture
async def chief(api: Api, database: Database) -> Api:
    """Return a super admin's calls in workspace `acme`."""
    await insert_credential(database, client_id="chief", role="super_admin")
    chief = Api(api.http, workspace="acme")
    await chief.sign_in("chief")
    return chief


async def create(api: Api, **changes: Any) -> httpx.Response:
    headers = changes.pop("headers", {})
    body = {"name": "Billing", "role": "administrator"} | changes
    return await api.call("POST", CREDENTIALS, json=body, headers=headers)


async def test_credential_opens_what_its_role_allows_when_it_was_just_made(chief: Api, database: Database) -> None:
    answer = await create(chief, role="viewer")

    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    assert set(made) == {
        *("id", "clientId", "clientSecret", "name", "workspaceId", "role"),
        *("status", "created", "expires", "lastUsed", "revoked"),
    }
    token = await ask_for_token(chief.http, client_id=made["clientId"], client_secret=made["clientSecret"])
    viewer = Api(chief.http, workspace="acme", token=token.json()["access_token"])
    assert (await viewer.get(WEBHOOKS)).status_code == 200
    assert (await viewer.call("POST", WEBHOOKS, json=make_body())).status_code == 403
    assert [line[:2] for line in await activities(database, subject=made["id"])] == [
        ("credential.created", "credential:chief"),
        ("credential.signed_in", f"credential:{made['clientId']}"),
    ]


async def test_secret_is_stored_as_a_hash_and_shown_once(chief: Api, database: Database) -> None:
    made = (await create(chief)).json()

    async with database.read() as connection:
        row = await connection.row(select(api_credentials).where(api_credentials.c.id == uuid.UUID(made["id"])))
    listed = await chief.get(CREDENTIALS)

    assert made["clientSecret"] not in str(row)
    assert made["clientSecret"] not in listed.text
    assert made["clientSecret"] not in str(await activities(database, subject=made["id"]))


async def test_credential_is_made_once_when_its_key_comes_twice(chief: Api) -> None:
    first, second = [await create(chief, headers={"Idempotency-Key": "k"}) for _ in range(2)]

    assert second.json() == first.json()
    assert second.headers["cache-control"] == "no-store"


async def test_list_tells_state_and_last_use_newest_first(chief: Api, database: Database, clock: FakeClock) -> None:
    await insert_credential(
        database, client_id="old", name="Old", created_at=clock.now() - timedelta(days=9), revoked_at=clock.now()
    )
    await insert_credential(database, client_id="elsewhere", workspace_id="acme-east")
    soon = int((clock.now() + timedelta(seconds=30)).timestamp() * 1000)
    await clock.advance(1)
    await create(chief, name="Soon over", expires=soon)
    await clock.advance(60)

    answer = (await chief.get(CREDENTIALS, params={"pageSize": 4})).json()

    told = {item["name"]: item for item in answer["items"]}
    assert answer["totalElements"] == 4
    assert answer["items"][0]["name"] == "Soon over"
    assert answer["items"][-1]["name"] == "Old"
    assert (told["Soon over"]["status"], told["Soon over"]["expires"]) == ("expired", soon)
    assert (told["Old"]["status"], told["Old"]["lastUsed"]) == ("revoked", None)
    used = next(item for item in answer["items"] if item["clientId"] == "chief")
    assert used["status"] == "active"
    assert used["lastUsed"] == int(clock.now().timestamp() * 1000)


async def test_credential_and_its_tokens_open_nothing_when_it_is_revoked(chief: Api, database: Database) -> None:
    made = (await create(chief)).json()
    secret = {"client_id": made["clientId"], "client_secret": made["clientSecret"]}
    token = (await ask_for_token(chief.http, **secret)).json()["access_token"]
    path = f"{CREDENTIALS}/{made['id']}"

    answers = [await chief.call("DELETE", path) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert (await Api(chief.http, workspace="acme", token=token).get(WEBHOOKS)).status_code == 401
    assert (await ask_for_token(chief.http, **secret)).status_code == 401
    told = [action for action, _, _ in await activities(database, subject=made["id"])]
    assert told == ["credential.created", "credential.signed_in", "credential.revoked"]


async def test_revoking_is_refused_when_the_credential_is_not_of_the_workspace(chief: Api, database: Database) -> None:
    other = await insert_credential(database, client_id="east", workspace_id="acme-east")

    for name in (str(other), str(uuid.uuid4()), "nonsense"):
        answer = await chief.call("DELETE", f"{CREDENTIALS}/{name}")
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:coro:problem:no-such-credential")


async def test_service_credential_is_neither_made_nor_revoked_by_people(chief: Api, database: Database) -> None:
    service = await insert_credential(database, client_id="service", role="service")

    assert (await create(chief, role="service")).status_code == 400
    assert (await chief.call("DELETE", f"{CREDENTIALS}/{service}")).status_code == 403


async def test_administrator_manages_no_credentials(api: Api) -> None:
    answers = [
        await create(api),
        await api.get(CREDENTIALS),
        await api.call("DELETE", f"{CREDENTIALS}/{uuid.uuid4()}"),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"role": "owner"}, "role"),
        ({"expires": 1}, "expires"),
        ({"expires": -1}, "expires"),
        ({"expires": 253_402_300_800_000}, "expires"),
        ({"expires": "tomorrow"}, "expires"),
        ({"secret": "mine"}, "secret"),
    ],
)
async def test_credential_is_refused_with_400_when_a_field_breaks_a_rule(
    chief: Api, changes: dict[str, Any], field: str
) -> None:
    answer = await create(chief, **changes)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_no_more_credentials_are_made_when_ten_are_in_force(
    chief: Api, database: Database, clock: FakeClock
) -> None:
    # Two are there: the fixtures'. One that is over does not count.
    await insert_credential(database, client_id="over", expires_at=clock.now())

    answers = await asyncio.gather(*(create(chief) for _ in range(MAX_ACTIVE_CREDENTIALS)))

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] * (MAX_ACTIVE_CREDENTIALS - 2) + [409] * 2
    made = next(answer.json() for answer in answers if answer.status_code == 201)
    await chief.call("DELETE", f"{CREDENTIALS}/{made['id']}")
    assert (await create(chief)).status_code == 201
    assert (await create(chief.elsewhere("acme-east"))).status_code == 201


async def test_sign_in_is_slowed_down_when_it_has_failed_too_often(
    api: Api, clock: FakeClock, database: Database
) -> None:
    await insert_credential(database)
    for _ in range(CLIENT_FAILURES):
        assert (await ask_for_token(api.http, client_secret="wrong")).status_code == 401

    refused = await ask_for_token(api.http)
    assert refused.status_code == 429
    assert refused.json()["type"] == "urn:coro:problem:too-many-attempts"
    assert 1 <= int(refused.headers["retry-after"]) <= 30
    # Others, and those signed in already, are not concerned.
    assert (await ask_for_token(api.http, client_id="nobody")).status_code == 401
    assert (await api.get(WEBHOOKS)).status_code == 200
    await clock.advance(int(refused.headers["retry-after"]))
    assert (await ask_for_token(api.http)).status_code == 200


class TestOftenCaller:
    """With a limit of two requests a second and four at once."""

    @pytest.fixture
    def settings(self, settings: ApiSettings) -> ApiSettings:
        return settings.model_copy(update={"api_requests_per_s": 2.0, "api_requests_burst": 4})

    async def test_credential_is_refused_with_429_when_it_asks_too_often(
        self, api: Api, database: Database, clock: FakeClock
    ) -> None:
        answers = [await api.get(WEBHOOKS) for _ in range(5)]

        assert [answer.status_code for answer in answers] == [200] * 4 + [429]
        assert answers[-1].headers["retry-after"] == "1"
        assert answers[-1].json()["type"] == "urn:coro:problem:too-many-requests"
        await insert_credential(database, client_id="other")
        other = Api(api.http, workspace="acme")
        await other.sign_in("other")
        assert (await other.get(WEBHOOKS)).status_code == 200
        await clock.advance(1)
        assert [(await api.get(WEBHOOKS)).status_code for _ in range(3)] == [200, 200, 429]
