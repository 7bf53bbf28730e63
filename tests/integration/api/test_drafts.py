"""Drafts: made, published and taken back, each step with its traces."""

import asyncio
import uuid
from typing import Any

import pytest
from sqlalchemy import select, update

from coro_events.store.releasing import release_version
from coro_events.store.tables import webhook_versions, webhooks
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.api.webhooks.rules import MASK
from tests.integration.api.calls import WEBHOOKS, Api, activities, client_of, messages
from tests.support.clock import FakeClock
from tests.support.makers import insert_webhook
from tests.unit.api.bodies import make_body

V2 = ["workspaceCreated.v2"]


@pytest.fixture
async def released(api: Api, database: Database, clock: FakeClock) -> None:
    """Release version 2."""
    del api
    await release(database, clock, 2)


async def release(database: Database, clock: FakeClock, version: int) -> None:
    async with database.write() as connection:
        await release_version(connection, version, at=None, now=clock.now(), actor="system:tests", source="coro/tests")


async def change(database: Database, webhook: dict[str, Any], **values: Any) -> None:
    """Change a webhook behind the API's back."""
    async with database.write() as connection:
        await connection.execute(update(webhooks).where(webhooks.c.id == uuid.UUID(webhook["id"])).values(values))


async def post(api: Api, webhook: dict[str, Any], what: str, **arguments: Any) -> dict[str, Any]:
    """Ask for a step and return the answer's body."""
    answer = await api.call("POST", f"{WEBHOOKS}/{webhook['id']}/{what}", **arguments)
    assert answer.status_code in {200, 201}, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def refusal(api: Api, method: str, webhook: dict[str, Any], what: str, **arguments: Any) -> tuple[int, str, str]:
    """Ask for a step; return status, kind and detail of the refusal."""
    answer = await api.call(method, f"{WEBHOOKS}/{webhook['id']}{what}", **arguments)
    return answer.status_code, answer.json()["type"].rpartition(":")[2], answer.json()["detail"]


async def read(api: Api, webhook: dict[str, Any]) -> dict[str, Any]:
    """Return a webhook as it is now."""
    answer = await api.get(f"{WEBHOOKS}/{webhook['id']}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def told_since(database: Database, count: int) -> list[tuple[str, str]]:
    """Return type and webhook of the messages after so many."""
    return [(one["type"], one["data"]["webhookId"]) for one in (await messages(database))[count:]]


@pytest.mark.usefixtures("released")
async def test_draft_is_a_full_copy_at_the_newest_version(
    api: Api, database: Database, vault: Vault, clock: FakeClock
) -> None:
    original = await api.create(secret="hush hush hush", headers={"X-Key": "value"}, description="All of it")
    await clock.advance(1)

    answer = await api.call("POST", f"{WEBHOOKS}/{original['id']}/draft")

    assert answer.status_code == 201
    draft = answer.json()
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["location"] == f"{WEBHOOKS}/{draft['id']}"
    assert (draft["status"], draft["version"], draft["draftOf"]) == ("draft", 2, original["id"])
    assert draft["triggers"] == V2
    assert (draft["secret"], draft["headers"]) == (MASK, {"X-Key": MASK})
    for field in ("name", "description", "url", "applyToAllDescendants", "workspaceId"):
        assert draft[field] == original[field]
    async with database.read() as connection:
        row = await connection.row(select(webhooks).where(webhooks.c.id == uuid.UUID(draft["id"])))
    assert row is not None
    assert vault.open(row.secret_sealed, row=draft["id"], field="secret") == "hush hush hush"
    assert vault.open(row.headers_sealed, row=draft["id"], field="headers") == '{"X-Key": "value"}'
    assert (await api.get(f"{WEBHOOKS}/{original['id']}/draft")).json()["id"] == draft["id"]
    assert [one["status"] for one in (await api.get(WEBHOOKS)).json()["items"]] == ["enabled", "draft"]
    assert (await messages(database))[-1]["type"] == "webhook-draft-created"
    ((action, _, detail),) = await activities(database, subject=draft["id"])
    assert (action, detail) == (
        "webhook.draft_created",
        {"name": "Billing", "version": 2, "draftOf": original["id"]},
    )


@pytest.mark.usefixtures("released")
async def test_one_draft_is_made_when_many_ask_and_a_repeat_gets_the_first_answer(api: Api) -> None:
    original = await api.create()
    path = f"{WEBHOOKS}/{original['id']}/draft"
    key = {"Idempotency-Key": "once"}

    first = await api.call("POST", path, headers=key)
    repeat = await api.call("POST", path, headers=key)
    answers = await asyncio.gather(*(api.call("POST", path) for _ in range(3)))

    assert repeat.json() == first.json()
    assert [answer.status_code for answer in answers] == [409] * 3
    assert f"it has a draft, {first.json()['id']}" in answers[0].json()["detail"]


async def test_draft_is_refused_when_there_is_nothing_to_draft(api: Api, database: Database, clock: FakeClock) -> None:
    original = await api.create()
    status, kind, detail = await refusal(api, "POST", original, "/draft")
    assert (status, kind) == (409, "wrong-state")
    assert detail == "it is of version 1, and no later one is released to draft"
    assert (await refusal(api, "GET", original, "/draft"))[:2] == (404, "no-such-draft")
    await release(database, clock, 2)
    draft = await post(api, original, "draft")
    assert "a draft itself" in (await refusal(api, "POST", draft, "/draft"))[2]
    nobody = {"id": str(uuid.uuid4())}
    for method, what in (("POST", "/draft"), ("GET", "/draft"), ("POST", "/publish"), ("POST", "/switch-back")):
        assert (await refusal(api, method, nobody, what))[:2] == (404, "not-found")
        assert (await refusal(api.elsewhere("acme-east"), method, draft, what))[:2] == (404, "not-found")


@pytest.mark.usefixtures("released")
async def test_draft_is_changed_tested_and_removed_like_any_webhook(
    api: Api, database: Database, stopping: asyncio.Event
) -> None:
    original = await api.create()
    draft = await post(api, original, "draft")

    changed = await api.put(draft, url="https://billing.example.com/coro-v2", name="Billing, new")
    assert changed.status_code == 200, changed.text
    assert changed.json()["status"] == "draft"
    mixed = await api.put(draft, triggers=["workspaceCreated.v1"])
    assert mixed.json()["errors"][0]["message"] == "must be of version 2, such as workspaceCreated.v2"
    assert (await api.put(draft, status="enabled")).json()["detail"].startswith("it is a draft; publish it")
    # Nobody waits for the result when the process stops.
    stopping.set()
    assert (await api.get(f"{WEBHOOKS}/{draft['id']}/test")).status_code == 202
    assert await told_since(database, -1) == [("webhook-test-requested", draft["id"])]
    assert (await api.call("DELETE", f"{WEBHOOKS}/{draft['id']}")).status_code == 204
    assert (await read(api, original))["status"] == "enabled"
    assert (await messages(database))[-1]["type"] == "webhook-deleted"
    assert (await api.call("POST", f"{WEBHOOKS}/{original['id']}/draft")).status_code == 201


@pytest.mark.usefixtures("released")
async def test_published_draft_takes_over_and_its_original_stops_in_the_same_step(api: Api, database: Database) -> None:
    original = await api.create()
    draft = await post(api, original, "draft")
    before = len(await messages(database))

    published = await post(api, draft, "publish", headers={"If-Match": '"1"'})

    assert (published["status"], published["draftOf"], published["replaces"]) == ("enabled", None, original["id"])
    assert published["name"] == original["name"]
    old = await read(api, original)
    assert (old["status"], old["disabledReason"], old["replacedBy"]) == ("disabled", "replaced", draft["id"])
    assert await told_since(database, before) == [
        ("webhook-draft-published", draft["id"]),
        ("webhook-disabled", original["id"]),
    ]
    assert (await activities(database, subject=draft["id"]))[-1][0::2] == (
        "webhook.draft_published",
        {"name": "Billing", "version": 2, "replaces": original["id"], "status": "enabled"},
    )
    assert (await activities(database, subject=original["id"]))[-1][0::2] == (
        "webhook.disabled",
        {"name": "Billing", "reason": "replaced", "replacedBy": draft["id"]},
    )
    enabling = await api.put(old, status="enabled")
    assert enabling.status_code == 409
    assert "switch that one back" in enabling.json()["detail"]
    assert "switch that one back first" in (await refusal(api, "POST", original, "/draft"))[2]


@pytest.mark.usefixtures("released")
async def test_draft_of_a_disabled_webhook_becomes_a_disabled_one(api: Api, database: Database) -> None:
    original = await api.create()
    draft = await post(api, original, "draft")
    await api.put(original, status="disabled", secret=MASK)
    before = len(await messages(database))

    published = await post(api, draft, "publish")

    assert (published["status"], published["disabledReason"]) == ("disabled", "disabled by hand")
    assert (await read(api, original))["disabledReason"] == "replaced"
    assert await told_since(database, before) == [("webhook-draft-published", draft["id"])]


@pytest.mark.usefixtures("released")
async def test_publishing_is_refused_with_what_to_do(api: Api, clock: FakeClock, database: Database) -> None:
    original, plain = await api.create(), await api.create(name="Plain")
    draft = await post(api, original, "draft")

    assert (await refusal(api, "POST", original, "/publish"))[2] == (
        f"only drafts are published, and it is none; its draft is {draft['id']}"
    )
    assert "it has none, make one first" in (await refusal(api, "POST", plain, "/publish"))[2]
    outdated = {"If-Match": '"7"'}
    assert (await refusal(api, "POST", draft, "/publish", headers=outdated))[:2] == (412, "edit-conflict")
    await api.put(draft, name="Plain")
    assert await refusal(api, "POST", draft, "/publish") == (
        409,
        "name-taken",
        "rename the draft first, then publish it",
    )
    assert (await read(api, original))["status"] == "enabled"
    async with database.write() as connection:
        two = update(webhook_versions).where(webhook_versions.c.version == 2)
        await connection.execute(two.values(expires_at=clock.now()))
    assert "its version 2 has expired" in (await refusal(api, "POST", draft, "/publish"))[2]


@pytest.mark.usefixtures("released")
async def test_draft_takes_over_when_its_original_has_expired(api: Api, database: Database) -> None:
    original = await api.create()
    draft = await post(api, original, "draft")
    await change(database, original, state="expired")
    late = await api.put(await read(api, original), name="Still here")
    assert late.json()["detail"] == (
        "it is expired: it can be read and removed, not changed; "
        "publish its draft, or create a new webhook of version 2 or later"
    )

    published = await post(api, draft, "publish")

    assert published["status"] == "enabled"
    assert (await read(api, original))["status"] == "expired"
    assert "has expired" in (await refusal(api, "POST", draft, "/switch-back"))[2]


@pytest.mark.usefixtures("released")
async def test_switching_back_lets_the_webhook_before_deliver_again(api: Api, database: Database) -> None:
    original = await api.create()
    draft = await post(api, original, "draft")
    await post(api, draft, "publish")
    before = len(await messages(database))

    back = await post(api, draft, "switch-back", headers={"If-Match": '"2"'})

    assert await read(api, original) == back | {"lastTest": None}
    assert (back["id"], back["status"], back["replacedBy"]) == (original["id"], "enabled", None)
    again = await read(api, draft)
    assert (again["status"], again["draftOf"], again["replaces"]) == ("draft", original["id"], None)
    assert await told_since(database, before) == [
        ("webhook-switched-back", draft["id"]),
        ("webhook-enabled", original["id"]),
    ]
    assert (await activities(database, subject=draft["id"]))[-1][0] == "webhook.switched_back"
    assert (await post(api, draft, "publish"))["status"] == "enabled"


@pytest.mark.usefixtures("released")
async def test_switching_back_mends_what_failed_and_keeps_what_people_stopped(api: Api, database: Database) -> None:
    for reason, status in (("four attempts failed", "enabled"), ("disabled by hand", "disabled")):
        original = await api.create(name=reason)
        draft = await post(api, original, "draft")
        await post(api, draft, "publish")
        await change(database, draft, state="disabled", disabled_reason=reason)

        assert (await post(api, draft, "switch-back"))["status"] == status


@pytest.mark.usefixtures("released")
async def test_switching_back_is_refused_with_the_reason(api: Api, database: Database, clock: FakeClock) -> None:
    original = await api.create()
    assert "took over from no other" in (await refusal(api, "POST", original, "/switch-back"))[2]
    draft = await post(api, original, "draft")
    await post(api, draft, "publish")
    assert f"replaced by the webhook {draft['id']}" in (await refusal(api, "POST", original, "/switch-back"))[2]
    other = await api.create(name="Other")
    await change(database, other, state="draft", draft_of=uuid.UUID(draft["id"]))
    assert f"it has a draft itself, {other['id']}" in (await refusal(api, "POST", draft, "/switch-back"))[2]
    await api.call("DELETE", f"{WEBHOOKS}/{other['id']}")

    renamed = await api.put(await read(api, draft), name="Invoices")
    taken = await api.create()
    assert (await refusal(api, "POST", draft, "/switch-back"))[:2] == (409, "name-taken")
    removal = await refusal(api, "DELETE", draft, "")
    assert removal[:2] == (409, "name-taken")
    assert renamed.status_code == 200
    await api.call("DELETE", f"{WEBHOOKS}/{taken['id']}")

    await clock.advance(185 * 86_400)
    await api.sign_in(await client_of(database))
    assert "version 1 has expired" in (await refusal(api, "POST", draft, "/switch-back"))[2]


@pytest.mark.usefixtures("released")
async def test_what_was_replaced_stands_by_itself_again_when_its_successor_is_removed(api: Api) -> None:
    original = await api.create()
    draft = await post(api, original, "draft")
    await post(api, draft, "publish")

    assert (await api.call("DELETE", f"{WEBHOOKS}/{draft['id']}")).status_code == 204

    left = await read(api, original)
    assert (left["status"], left["replacedBy"]) == ("disabled", None)
    assert (await api.put(left, status="enabled")).json()["status"] == "enabled"


@pytest.mark.usefixtures("released")
async def test_drafts_and_replaced_webhooks_take_no_place(api: Api, database: Database, vault: Vault) -> None:
    for _ in range(49):
        await insert_webhook(database, vault)
    original = await api.create()
    draft = await post(api, original, "draft")
    await post(api, draft, "publish")

    full = await api.call("POST", WEBHOOKS, json=make_body(name="One too many"))
    assert full.json()["type"] == "urn:coro:problem:too-many-webhooks"
    await api.call("DELETE", f"{WEBHOOKS}/{original['id']}")
    assert (await api.call("POST", WEBHOOKS, json=make_body(name="Still"))).status_code == 409


@pytest.mark.usefixtures("released")
async def test_one_of_publish_and_publish_wins_when_both_are_asked_at_once(api: Api) -> None:
    original = await api.create()
    draft = await post(api, original, "draft")
    path = f"{WEBHOOKS}/{draft['id']}/publish"

    answers = await asyncio.gather(*(api.call("POST", path) for _ in range(3)))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]


@pytest.mark.usefixtures("released")
async def test_nothing_hangs_when_a_pair_is_published_removed_and_switched_back_at_once(api: Api) -> None:
    for _ in range(3):
        original = await api.create(name=uuid.uuid4().hex)
        draft = await post(api, original, "draft")
        calls = [
            api.call("POST", f"{WEBHOOKS}/{draft['id']}/publish"),
            api.call("DELETE", f"{WEBHOOKS}/{original['id']}"),
            api.call("POST", f"{WEBHOOKS}/{draft['id']}/switch-back"),
            api.put(draft, name=uuid.uuid4().hex),
        ]
        statuses = {answer.status_code for answer in await asyncio.gather(*calls)}
        assert statuses <= {200, 204, 404, 409}, statuses
