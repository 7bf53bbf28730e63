"""A request with an idempotency key is done once, and its answer is given again."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from coro_events.store.tables import idempotency_keys, replays, webhooks
from coro_events.store.unit import Database
from services.api.access.roles import Role
from services.api.access.service import Caller
from services.api.idempotency.service import CLAIMED_FOR, KEPT_FOR, Idempotency
from services.api.idempotency.sql import SqlKeys, keep_answer
from services.api.refusals import StillUnderWay
from services.api.webhooks.rules import MASK
from services.api.webhooks.schemas import SecretRotation
from tests.integration.api.calls import WEBHOOKS, Api, insert_credential
from tests.support.clock import FakeClock
from tests.support.makers import make_vault
from tests.unit.api.bodies import make_body

KEY = {"Idempotency-Key": "order 66"}


async def count(database: Database, table: Any) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(table)))


async def create(api: Api, headers: dict[str, str] | None = None, **changes: Any) -> httpx.Response:
    return await api.call("POST", WEBHOOKS, json=make_body(**changes), headers=KEY if headers is None else headers)


async def test_webhook_is_created_once_when_its_key_comes_twice(api: Api, database: Database) -> None:
    first, second = await create(api, secret="hush hush hush"), await create(api, secret="hush hush hush")

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.json()["secret"] == "hush hush hush"
    for header in ("etag", "location", "content-type", "cache-control"):
        assert second.headers[header] == first.headers[header]
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert await count(database, webhooks) == 1


async def test_secret_is_kept_sealed_when_an_answer_holds_it(api: Api, database: Database) -> None:
    await create(api, secret="hush hush hush")

    async with database.read() as connection:
        row = await connection.row(select(idempotency_keys))

    assert row is not None
    assert b"hush" not in row.answer_sealed + row.request_sealed


async def test_key_is_refused_when_it_stands_for_another_request(api: Api, database: Database) -> None:
    await create(api)

    for answer in (await create(api, name="Another"), await create(api.elsewhere("acme-east"))):
        assert answer.status_code == 409
        assert answer.json()["type"].endswith("idempotency-key-reused")
    assert await count(database, webhooks) == 1


async def test_defaults_may_be_written_or_left_out_when_a_request_is_repeated(api: Api) -> None:
    await create(api, description="")
    body = make_body(description="")
    del body["description"]

    assert (await api.call("POST", WEBHOOKS, json=body, headers=KEY)).status_code == 201


async def test_key_is_the_credentials_own(api: Api, database: Database) -> None:
    await create(api)
    await insert_credential(database, client_id="other")
    await api.sign_in("other")

    assert (await create(api, name="Another")).status_code == 201


async def test_key_is_free_again_when_the_request_was_refused(api: Api) -> None:
    await api.create(name="Taken")

    refused = await create(api, name="Taken")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:coro:problem:name-taken")
    assert (await create(api, name="Free")).status_code == 201


async def test_key_is_free_again_when_a_day_has_passed(api: Api, database: Database, clock: FakeClock) -> None:
    await create(api)
    await clock.advance(KEPT_FOR.total_seconds() - 60)
    assert (await create(api, name="Another")).status_code == 409
    await clock.advance(60)
    await api.sign_in(await client_of(database))

    assert (await create(api, name="Another")).status_code == 201
    assert await count(database, idempotency_keys) == 1


async def client_of(database: Database) -> str:
    async with database.read() as connection:
        return str(await connection.scalar(select(idempotency_keys.c.client_id)))


async def test_expired_keys_are_removed_when_others_are_claimed(api: Api, database: Database, clock: FakeClock) -> None:
    await create(api)
    async with database.write() as connection:
        await connection.execute(update(idempotency_keys).values(expires_at=clock.now() - timedelta(seconds=1)))

    await create(api, {"Idempotency-Key": "next"}, name="Another")

    assert await count(database, idempotency_keys) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "\xe9"])
async def test_key_is_refused_when_it_is_no_key(api: Api, key: str) -> None:
    raw = {b"Idempotency-Key": key.encode("latin-1")}
    headers: Any = [*raw.items(), (b"Authorization", f"Bearer {api.token}".encode()), (b"Workspace", b"acme")]

    answer = await api.http.post(WEBHOOKS, json=make_body(), headers=headers)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["Idempotency-Key"]


async def test_one_webhook_is_created_when_a_key_comes_many_times_at_once(api: Api, database: Database) -> None:
    answers = await asyncio.gather(*(create(api) for _ in range(8)))

    assert await count(database, webhooks) == 1
    created = [answer for answer in answers if answer.status_code == 201]
    waiting = [answer for answer in answers if answer.status_code != 201]
    assert len({answer.json()["id"] for answer in created}) == 1
    for answer in waiting:
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:coro:problem:still-under-way")
        assert answer.headers["retry-after"] == "1"
    assert (await create(api)).json()["id"] == created[0].json()["id"]


async def test_request_is_done_anew_when_whoever_answered_it_has_gone(
    api: Api, database: Database, clock: FakeClock
) -> None:
    assert (await create(api)).status_code == 201
    async with database.write() as connection:
        # As it is when a process dies in the middle: claimed, and nothing was done.
        await connection.execute(update(idempotency_keys).values(answer_sealed=None))
        await connection.execute(webhooks.delete())

    assert (await create(api)).status_code == 409
    await clock.advance(CLAIMED_FOR.total_seconds())
    assert (await create(api)).status_code == 201
    assert await count(database, webhooks) == 1


async def test_change_is_undone_when_another_request_has_taken_the_key_over(
    api: Api, database: Database, clock: FakeClock
) -> None:
    keys, vault = SqlKeys(database), make_vault()
    idempotency = Idempotency(keys=keys, vault=vault, clock=clock)
    caller = Caller(client_id="slow", workspace_id="acme", role=Role.ADMINISTRATOR)
    body = SecretRotation()
    webhook = await api.create()

    async with idempotency.once(caller, "k", operation="any", body=body) as slow:
        await clock.advance(CLAIMED_FOR.total_seconds())
        async with idempotency.once(caller, "k", operation="any", body=body) as quick:
            assert quick.is_kept
        with pytest.raises(StillUnderWay):
            await rename_under(database, webhook["id"], slow.keep(200, {}, body))

    assert (await api.get(f"{WEBHOOKS}/{webhook['id']}")).json()["name"] == webhook["name"]


async def rename_under(database: Database, webhook_id: str, answer: Any) -> None:
    async with database.write() as connection:
        await connection.execute(update(webhooks).where(webhooks.c.id == uuid.UUID(webhook_id)).values(name="Undone"))
        await keep_answer(connection, answer)


async def test_replay_begins_once_when_its_key_comes_twice(api: Api, database: Database, clock: FakeClock) -> None:
    webhook = await api.create()
    since = int((clock.now() - timedelta(hours=1)).timestamp() * 1000)
    path = f"{WEBHOOKS}/{webhook['id']}/replays"

    first = await api.call("POST", path, json={"since": since}, headers=KEY)
    second = await api.call("POST", path, json={"since": since}, headers=KEY)

    assert (first.status_code, second.status_code) == (202, 202), first.text
    assert second.json() == first.json()
    assert second.headers["location"] == first.headers["location"]
    assert await count(database, replays) == 1


async def test_secret_is_rotated_once_when_its_key_comes_twice(api: Api) -> None:
    webhook = await api.create()
    path = f"{WEBHOOKS}/{webhook['id']}/rotate-secret"

    first = await api.call("POST", path, json={}, headers=KEY)
    second = await api.call("POST", path, json={}, headers=KEY)

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json()["secret"] == first.json()["secret"] != MASK
    assert (await api.get(f"{WEBHOOKS}/{webhook['id']}")).headers["etag"] == '"2"'
