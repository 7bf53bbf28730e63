"""Webhook versions: read by everybody, released by an internal service."""

from datetime import timedelta

import httpx
import pytest

from coro_events.rules.sunset import add_months
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.api.webhooks.view import milliseconds
from tests.integration.api.calls import Api, activities, insert_credential, messages
from tests.support.clock import FakeClock
from tests.support.makers import insert_webhook

VERSIONS = "/v1/webhook-versions"


@pytest.fixture
async def service(api: Api, http: httpx.AsyncClient, database: Database) -> Api:
    """Return the calls of an internal service."""
    await insert_credential(database, client_id="platform", role="service")
    service = Api(http, workspace=api.workspace)
    await service.sign_in("platform")
    return service


async def test_versions_are_shown_with_who_uses_them_below(api: Api, database: Database, vault: Vault) -> None:
    for workspace in ("acme", "acme", "acme-east", "rival"):
        await insert_webhook(database, vault, workspace_id=workspace)

    answer = await api.get(VERSIONS)

    assert answer.status_code == 200
    one, two = answer.json()["items"]
    assert one == {
        "version": 1,
        "status": "released",
        "released": one["released"],
        "expires": None,
        "webhooks": 3,
        "workspaces": 2,
    }
    assert two == {
        "version": 2,
        "status": "unreleased",
        "released": None,
        "expires": None,
        "webhooks": 0,
        "workspaces": 0,
    }


async def test_release_lets_the_version_before_expire_six_months_later(
    api: Api, service: Api, database: Database, clock: FakeClock
) -> None:
    answer = await service.call("POST", f"{VERSIONS}/2/release", json={})

    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["released"]) == ("released", milliseconds(clock.now()))
    one, two = (await api.get(VERSIONS)).json()["items"]
    assert one["expires"] == milliseconds(add_months(clock.now(), 6))
    again = await service.call("POST", f"{VERSIONS}/2/release", json={"at": two["released"]})
    assert again.json() == answer.json()
    # Once in each of the two trees.
    told = [(action, actor) for action, actor, _ in await activities(database, subject="2")]
    assert told == [("version.released", "credential:platform")] * 2
    (released,) = [one for one in await messages(database) if one["type"] == "version-released"]
    assert released["data"] == {"version": 2, "previousVersion": 1, "previousExpires": one["expires"]}


async def test_planned_version_counts_from_its_time_on(api: Api, service: Api, clock: FakeClock) -> None:
    at = milliseconds(clock.now() + timedelta(hours=2))
    answer = await service.call("POST", f"{VERSIONS}/2/release", json={"at": at})
    assert answer.json()["status"] == "planned"

    await clock.advance(7201)

    _, two = (await api.get(VERSIONS)).json()["items"]
    assert two["status"] == "released"


async def test_release_is_refused_when_it_is_nonsense(service: Api, clock: FakeClock) -> None:
    async def refusal(version: str, body: dict[str, int]) -> tuple[int, str, str]:
        answer = await service.call("POST", f"{VERSIONS}/{version}/release", json=body)
        return answer.status_code, answer.json()["type"].rpartition(":")[2], answer.json()["detail"]

    now = milliseconds(clock.now())
    assert await refusal("9", {}) == (404, "no-such-version", "there is no webhook version 9; there are 1, 2")
    assert await refusal("two", {}) == (400, "invalid", "version must be an integer")
    assert (await refusal("2", {"at": now - 2 * 86_400_000}))[:2] == (400, "invalid")
    status, kind, detail = await refusal("1", {"at": now})
    assert (status, kind) == (409, "wrong-version-state")
    assert "that cannot be changed" in detail


async def test_release_takes_an_internal_service(api: Api) -> None:
    answer = await api.call("POST", f"{VERSIONS}/2/release", json={})

    assert answer.status_code == 403
