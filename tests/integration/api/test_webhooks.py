"""Webhooks: created, read, listed, changed, removed; each change with its traces."""

import asyncio
import json
import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, update

from coro_events.contract.cloudevents import STRUCTURED_HEADERS
from coro_events.contract.webhook_events import TestRequested, WebhookChanged, decode_webhook_event
from coro_events.store.tables import deliveries, outbox, webhook_versions, webhooks
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.api.webhooks.rules import MASK
from tests.integration.api.calls import WEBHOOKS, Api, activities, client_of, messages
from tests.support.clock import FakeClock
from tests.support.makers import insert_webhook
from tests.unit.api.bodies import make_body


async def stored(database: Database, webhook_id: str) -> Any:
    """Return a webhook's row."""
    async with database.read() as connection:
        return await connection.row(select(webhooks).where(webhooks.c.id == uuid.UUID(webhook_id)))


async def test_webhook_is_created_as_published(api: Api, clock: FakeClock) -> None:
    answer = await api.call("POST", WEBHOOKS, json=make_body(description="All of it", headers={"X-Key": "value"}))

    assert answer.status_code == 201
    body = answer.json()
    test = body.pop("test")
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["location"] == f"{WEBHOOKS}/{body['id']}"
    assert body == make_body(
        id=body["id"],
        workspaceId="acme",
        status="enabled",
        description="All of it",
        headers={"X-Key": MASK},
        created=int(clock.now().timestamp() * 1000),
        updated=int(clock.now().timestamp() * 1000),
        version=1,
        expires=None,
        draftOf=None,
        replacedBy=None,
        replaces=None,
        shadowUrl=None,
        disabledReason=None,
        lastDelivery=None,
        previousSecretExpires=None,
    )
    assert test["state"] == "pending"
    assert len(str(body["created"])) == 13


async def test_secret_and_headers_are_sealed_for_the_dispatcher(api: Api, database: Database, vault: Vault) -> None:
    webhook = await api.create(secret="hush hush hush", headers={"X-Key": "value"})

    row = await stored(database, webhook["id"])

    assert b"hush" not in row.secret_sealed
    assert vault.open(row.secret_sealed, row=webhook["id"], field="secret") == "hush hush hush"
    assert vault.open(row.headers_sealed, row=webhook["id"], field="headers") == '{"X-Key": "value"}'
    assert row.triggers == ["workspace-created"]


async def test_creation_leaves_its_traces_in_one_transaction(api: Api, database: Database) -> None:
    webhook = await api.create()

    created, requested = [
        decode_webhook_event(_bytes(message), STRUCTURED_HEADERS) for message in await messages(database)
    ]
    assert created.type.value == "webhook-created"
    assert isinstance(created.data, WebhookChanged)
    assert created.data.webhook_id == webhook["id"]
    assert created.workspace_id == "acme"
    assert requested.type.value == "webhook-test-requested"
    assert isinstance(requested.data, TestRequested)
    assert requested.data.test_id == webhook["test"]["id"]
    assert [action for action, _, _ in await activities(database, subject=webhook["id"])] == [
        "webhook.created",
        "webhook.test_requested",
    ]
    async with database.read() as connection:
        rows = await connection.rows(select(outbox))
    assert {(row.topic, row.key) for row in rows} == {("coro.webhooks", "acme")}


def _bytes(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()


async def test_nothing_is_written_when_the_name_is_taken(api: Api, database: Database) -> None:
    await api.create()
    before = await messages(database)

    answer = await api.call("POST", WEBHOOKS, json=make_body())

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:coro:problem:name-taken"
    assert await messages(database) == before
    assert (await api.elsewhere("acme-east").create())["workspaceId"] == "acme-east"


async def test_one_is_created_when_two_ask_for_the_same_name_at_once(api: Api) -> None:
    answers = await asyncio.gather(*(api.call("POST", WEBHOOKS, json=make_body()) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_fifty_are_the_most_when_many_are_created_at_once(api: Api, database: Database, vault: Vault) -> None:
    for _ in range(48):
        await insert_webhook(database, vault)

    answers = await asyncio.gather(*(api.call("POST", WEBHOOKS, json=make_body(name=f"N{n}")) for n in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["type"] == "urn:coro:problem:too-many-webhooks"


async def test_webhook_is_read_with_masks(api: Api) -> None:
    created = await api.create(headers={"X-Key": "value"})

    answer = await api.get(f"{WEBHOOKS}/{created['id']}")

    assert answer.status_code == 200
    assert answer.headers["etag"] == '"1"'
    assert answer.json()["secret"] == MASK
    assert answer.json()["headers"] == {"X-Key": MASK}
    assert answer.json()["lastTest"] is None


async def test_webhook_is_not_found_when_it_is_of_another_workspace_or_no_id(api: Api) -> None:
    webhook = await api.create()

    for workspace, webhook_id in (("acme-east", webhook["id"]), ("acme", uuid.uuid4()), ("acme", "x"), ("acme", "%00")):
        for method in ("GET", "DELETE"):
            answer = await api.elsewhere(workspace).call(method, f"{WEBHOOKS}/{webhook_id}")
            assert answer.status_code == 404, (method, webhook_id)


async def test_list_comes_in_pages_and_sorted(api: Api, clock: FakeClock) -> None:
    for name in ("beta", "Alpha", "gamma"):
        await api.create(name=name)
        await clock.advance(1)

    async def names(**query: object) -> list[str]:
        answer = (await api.get(WEBHOOKS, params=query)).json()
        assert answer["totalElements"] == 3
        return [item["name"] for item in answer["items"]]

    assert await names() == ["beta", "Alpha", "gamma"]
    assert await names(sort="name") == ["Alpha", "beta", "gamma"]
    assert await names(sort="-created", pageSize=2) == ["gamma", "Alpha"]
    assert await names(sort="-created", pageSize=2, page=1) == ["beta"]
    assert await names(page=9) == []
    assert (await api.elsewhere("acme-east").get(WEBHOOKS)).json() == {"items": [], "totalElements": 0}


async def test_list_is_refused_when_its_parameters_are_wrong(api: Api) -> None:
    answer = await api.get(WEBHOOKS, params={"page": -1, "pageSize": 101, "sort": "colour"})

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["page", "pageSize", "sort"]


async def test_last_delivery_of_an_event_is_shown_and_tests_are_not(
    api: Api, database: Database, clock: FakeClock
) -> None:
    webhook = await api.create()
    hook_ids = {"event": uuid.uuid4(), "test": uuid.uuid4()}
    for number, (kind, hook_id) in enumerate(hook_ids.items()):
        values = {
            "day": clock.now().date(),
            "webhook_id": uuid.UUID(webhook["id"]),
            "event_id": hook_id,
            "hook_id": hook_id,
            "workspace_id": "acme",
            "kind": kind,
            "state": "delivered",
            "attempts": 1,
            "due_at": clock.now(),
            "created_at": clock.now() + timedelta(seconds=number),
        }
        async with database.write() as connection:
            await connection.execute(insert(deliveries).values(values))

    one = (await api.get(f"{WEBHOOKS}/{webhook['id']}")).json()
    (listed,) = (await api.get(WEBHOOKS)).json()["items"]

    assert one["lastDelivery"]["id"] == listed["lastDelivery"]["id"] == str(hook_ids["event"])
    assert one["lastTest"]["id"] == str(hook_ids["test"])
    assert one["lastTest"]["state"] == "delivered"


async def test_edit_keeps_what_is_masked_and_tells_what_changed(
    api: Api, database: Database, vault: Vault, clock: FakeClock
) -> None:
    webhook = await api.create(secret="hush hush hush", headers={"X-Key": "value"})
    read = (await api.get(f"{WEBHOOKS}/{webhook['id']}")).json()
    await clock.advance(5)

    answer = await api.put(read, name="Invoices", headers={"If-Match": '"1"'})

    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == '"2"'
    assert answer.json()["name"] == "Invoices"
    assert answer.json()["updated"] == webhook["created"] + 5000
    row = await stored(database, webhook["id"])
    assert vault.open(row.secret_sealed, row=webhook["id"], field="secret") == "hush hush hush"
    assert vault.open(row.headers_sealed, row=webhook["id"], field="headers") == '{"X-Key": "value"}'
    assert (await messages(database))[-1]["type"] == "webhook-updated"
    action, actor, detail = (await activities(database, subject=webhook["id"]))[-1]
    assert action == "webhook.updated"
    assert actor.startswith("credential:client-")
    assert detail == {"name": "Invoices", "changed": ["name"]}


async def test_new_secret_and_headers_are_sealed_when_they_are_edited(
    api: Api, database: Database, vault: Vault
) -> None:
    webhook = await api.create(headers={"X-Key": "value", "X-Old": "old"})

    answer = await api.call(
        "PUT",
        f"{WEBHOOKS}/{webhook['id']}",
        json=make_body(secret="another secret", headers={"x-key": MASK, "X-New": "new"}),
    )

    assert answer.status_code == 200
    assert "another secret" not in answer.text
    row = await stored(database, webhook["id"])
    assert vault.open(row.secret_sealed, row=webhook["id"], field="secret") == "another secret"
    assert vault.open(row.headers_sealed, row=webhook["id"], field="headers") == '{"x-key": "value", "X-New": "new"}'


async def test_nothing_is_told_when_an_edit_changes_nothing(api: Api, database: Database) -> None:
    webhook = await api.create()
    before = await messages(database)

    answer = await api.put((await api.get(f"{WEBHOOKS}/{webhook['id']}")).json())

    assert answer.headers["etag"] == '"1"'
    assert await messages(database) == before


async def test_webhook_is_disabled_and_enabled_with_its_reason(api: Api, database: Database) -> None:
    webhook = await api.create()
    webhook.pop("test")

    off = await api.put(webhook, status="disabled", secret=MASK)
    on = await api.put(webhook, status="enabled", secret=MASK)

    assert (off.json()["status"], off.json()["disabledReason"]) == ("disabled", "disabled by hand")
    assert (on.json()["status"], on.json()["disabledReason"]) == ("enabled", None)
    told = [(message["type"], message["data"].get("reason")) for message in (await messages(database))[2:]]
    assert told == [("webhook-disabled", "disabled by hand"), ("webhook-enabled", None)]


async def test_expired_webhook_is_read_and_removed_but_not_enabled(api: Api, database: Database, vault: Vault) -> None:
    expired = await insert_webhook(database, vault, state="expired", name="Old", url="https://a.example/")
    path = f"{WEBHOOKS}/{expired.id}"

    assert (await api.get(path)).json()["status"] == "expired"
    answer = await api.call("PUT", path, json=make_body(name="Old", status="enabled"))
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:coro:problem:wrong-state"
    assert (await api.get(f"{path}/test")).status_code == 409
    gone = await api.call("DELETE", path)
    assert gone.status_code == 204
    assert "content-type" not in gone.headers


async def test_edit_is_refused_when_it_was_made_from_an_older_revision(api: Api) -> None:
    webhook = await api.create()
    assert (await api.put(webhook, name="Invoices", headers={"If-Match": '"1"'})).status_code == 200

    late = await api.put(webhook, name="Late", headers={"If-Match": '"1"'})
    removal = await api.call("DELETE", f"{WEBHOOKS}/{webhook['id']}", headers={"If-Match": '"1"'})

    assert late.status_code == removal.status_code == 412
    assert (await api.get(f"{WEBHOOKS}/{webhook['id']}")).json()["name"] == "Invoices"


async def test_one_edit_wins_when_two_are_made_from_the_same_revision(api: Api) -> None:
    webhook = await api.create()

    answers = await asyncio.gather(*(api.put(webhook, name=f"N{n}", headers={"If-Match": '"1"'}) for n in range(4)))

    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]


async def test_edit_is_refused_when_the_new_name_is_taken(api: Api, database: Database) -> None:
    await api.create(name="Taken")
    webhook = await api.create()
    before = await messages(database)

    answer = await api.put(webhook, name="Taken")

    assert answer.status_code == 409
    assert await messages(database) == before


async def test_every_fault_is_named_in_one_answer(api: Api) -> None:
    webhook = await api.create()

    answer = await api.put(webhook, name="", url="http://a.example/", colour="red", triggers=["nope.v1"])

    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} == {"name", "url", "colour", "triggers.0"}


async def test_webhook_is_removed_with_its_traces(api: Api, database: Database) -> None:
    webhook = await api.create()

    answer = await api.call("DELETE", f"{WEBHOOKS}/{webhook['id']}")

    assert answer.status_code == 204
    assert answer.content == b""
    assert (await api.get(f"{WEBHOOKS}/{webhook['id']}")).status_code == 404
    assert (await messages(database))[-1]["type"] == "webhook-deleted"
    assert (await activities(database, subject=webhook["id"]))[-1][0] == "webhook.deleted"
    assert (await api.call("DELETE", f"{WEBHOOKS}/{webhook['id']}")).status_code == 404


async def test_second_version_is_offered_when_it_is_released_and_the_first_shows_its_end(
    api: Api, database: Database, clock: FakeClock
) -> None:
    first = await api.create()
    ends_at = clock.now() + timedelta(days=180)
    async with database.write() as connection:
        await connection.execute(
            update(webhook_versions).where(webhook_versions.c.version == 2).values(released_at=clock.now())
        )
        await connection.execute(
            update(webhook_versions).where(webhook_versions.c.version == 1).values(expires_at=ends_at)
        )

    second = await api.create(name="Second", triggers=["workspaceCreated.v2"])
    assert (second["version"], second["expires"]) == (2, None)
    read = (await api.get(f"{WEBHOOKS}/{first['id']}")).json()
    assert read["expires"] == int(ends_at.timestamp() * 1000)
    moved = await api.put(read, triggers=["workspaceCreated.v2"])
    assert moved.status_code == 400
    assert [error["field"] for error in moved.json()["errors"]] == ["triggers"]

    await clock.advance(180 * 86_400)
    await api.sign_in(await client_of(database))
    late = await api.call("POST", WEBHOOKS, json=make_body(name="Late"))
    assert [error["field"] for error in late.json()["errors"]] == ["triggers.0"]
    assert (await api.put(read, name="Still editable")).status_code == 200
