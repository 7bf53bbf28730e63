"""Previews of the next version, and drafts that are tried out at a second URL."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from coro_events.contract.bodies import body_format
from coro_events.contract.workspaces import WorkspaceCreated
from coro_events.store.tables import webhooks, workspaces
from coro_events.store.unit import Database
from services.api.webhooks.view import milliseconds
from tests.integration.api.calls import WEBHOOKS, Api, activities, insert_credential, messages
from tests.integration.api.past import insert_delivery
from tests.integration.api.test_drafts import post, read, refusal, release
from tests.support.clock import FakeClock

DATA = json.loads(WorkspaceCreated.example().to_bytes())


@pytest.fixture
async def original(api: Api, database: Database, clock: FakeClock) -> dict[str, Any]:
    """Return a webhook of version 1, when version 2 is released."""
    await release(database, clock, 2)
    return await api.create()


async def preview(api: Api, webhook: dict[str, Any]) -> dict[str, Any]:
    answer = await api.get(f"{WEBHOOKS}/{webhook['id']}/preview")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_last_events_are_shown_in_both_formats_side_by_side(
    api: Api, original: dict[str, Any], database: Database, clock: FakeClock
) -> None:
    hook_ids = []
    for number in range(12):
        at = clock.now() - timedelta(minutes=number)
        event = {"workspace_id": "acme-east", "data": DATA, "sequence": 40 - number}
        hook_ids.append(await insert_delivery(database, original["id"], at, event=event, created_at=at))
    await insert_delivery(database, original["id"], clock.now(), kind="test", event={"type": "test"})
    before = await messages(database)

    shown = await preview(api, original)

    assert (shown["oldVersion"], shown["newVersion"], shown["examples"]) == (1, 2, False)
    assert (shown["webhookId"], shown["draftId"]) == (original["id"], None)
    assert len(shown["items"]) == 10
    newest = shown["items"][0]
    assert (newest["type"], newest["workspaceId"]) == ("workspace-created", "acme-east")
    assert newest["occurred"] == milliseconds(clock.now())
    old, new = json.loads(newest["oldBody"]), json.loads(newest["newBody"])
    assert set(old) == set(body_format(1).properties("workspace-created", {}))
    assert (old["id"], old["workspaceId"], old["data"]) == (str(hook_ids[0]), "acme-east", DATA)
    assert (new["id"], new["version"], new["sequence"], new["data"]) == (str(hook_ids[0]), 2, 40, DATA)
    assert new["workspace"] == {
        "id": "acme-east",
        "displayName": "Workspace acme-east",
        "type": "child",
        "path": ["acme", "acme-east"],
    }
    assert await messages(database) == before


async def test_draft_is_previewed_with_the_events_of_its_original(
    api: Api, original: dict[str, Any], database: Database, clock: FakeClock
) -> None:
    draft = await post(api, original, "draft")
    await insert_delivery(database, original["id"], clock.now(), event={"data": DATA, "sequence": 1})

    assert await preview(api, draft) == await preview(api, original)
    assert (await preview(api, draft))["draftId"] == draft["id"]


async def test_examples_of_its_triggers_are_shown_when_a_webhook_had_no_events(
    api: Api, original: dict[str, Any]
) -> None:
    shown = await preview(api, original)

    assert shown["examples"] is True
    (item,) = shown["items"]
    assert (item["eventId"], item["type"]) == (None, "workspace-created")
    assert json.loads(item["newBody"])["workspace"]["path"] == ["acme"]


async def test_there_is_no_preview_when_there_is_no_later_version(
    api: Api, database: Database, clock: FakeClock
) -> None:
    webhook = await api.create()
    assert (await refusal(api, "GET", webhook, "/preview"))[2] == (
        "it is of version 1, and no later one is released to compare with"
    )
    assert (await refusal(api.elsewhere("acme-east"), "GET", webhook, "/preview"))[0] == 404
    await release(database, clock, 2)
    assert (await api.get(f"{WEBHOOKS}/{webhook['id']}/preview")).status_code == 200


async def test_draft_is_tried_out_at_a_second_url_until_it_is_published(
    api: Api, original: dict[str, Any], database: Database
) -> None:
    draft = await post(api, original, "draft")
    path, url = f"{WEBHOOKS}/{draft['id']}/shadow", "https://billing.example.com/next"

    answer = await api.call("PUT", path, json={"url": url}, headers={"If-Match": '"1"'})

    assert answer.status_code == 200, answer.text
    assert (answer.json()["shadowUrl"], answer.json()["status"], answer.headers["etag"]) == (url, "draft", '"2"')
    assert (await messages(database))[-1]["type"] == "webhook-updated"
    told = (await activities(database, subject=draft["id"]))[-1]
    assert told[0::2] == ("webhook.updated", {"name": "Billing", "changed": ["shadowUrl"]})
    count = len(await messages(database))
    assert (await api.call("PUT", path, json={"url": url})).headers["etag"] == '"2"'
    assert len(await messages(database)) == count
    kept = await api.put(await read(api, draft), name="Next")
    assert kept.json()["shadowUrl"] == url
    assert (await api.call("DELETE", path)).json()["shadowUrl"] is None
    await api.call("PUT", path, json={"url": url})
    published = await post(api, draft, "publish")
    assert (published["status"], published["shadowUrl"]) == ("enabled", None)


async def test_shadow_is_shown_in_the_history_of_the_draft_and_not_sent_again(
    api: Api, original: dict[str, Any], database: Database, clock: FakeClock
) -> None:
    draft = await post(api, original, "draft")
    path, url = f"{WEBHOOKS}/{draft['id']}", "https://billing.example.com/next"
    await api.call("PUT", f"{path}/shadow", json={"url": url})
    event = {"data": DATA, "sequence": 3, "workspace_name": "Acme", "workspace_type": "channel"}
    hook_id = await insert_delivery(
        database, draft["id"], clock.now(), kind="shadow", attempts=1, event=event | {"workspace_path": ["acme"]}
    )

    for query, found in (({"kind": "shadow"}, 1), ({}, 1), ({"kind": "event"}, 0)):
        assert len((await api.get(f"{path}/deliveries", params=query)).json()["items"]) == found
    one = (await api.get(f"{path}/deliveries/{hook_id}")).json()
    assert (one["kind"], one["url"], json.loads(one["body"])["sequence"]) == ("shadow", url, 3)
    assert (await api.get(f"{path}/statistics")).json()["deliveries"] == 0
    assert "publish it first" in (await refusal(api, "POST", draft, f"/deliveries/{hook_id}/retry"))[2]
    await post(api, draft, "publish")
    assert "only tried the draft out" in (await refusal(api, "POST", draft, f"/deliveries/{hook_id}/retry"))[2]


async def test_shadow_ends_when_its_workspace_is_archived(
    api: Api, original: dict[str, Any], database: Database, http: httpx.AsyncClient
) -> None:
    draft = await post(api, original, "draft")
    await api.call("PUT", f"{WEBHOOKS}/{draft['id']}/shadow", json={"url": "https://billing.example.com/next"})
    await insert_credential(database, client_id="platform", role="service")
    service = Api(http, workspace="acme")
    await service.sign_in("platform")
    async with database.write() as connection:
        await connection.execute(update(workspaces).values(status="inactive", archived_at=None))
        await connection.execute(update(workspaces).where(workspaces.c.id == "acme-east").values(parent_id="rival"))

    assert (await service.call("PUT", "/v1/workspaces/acme/archive")).status_code == 200

    async with database.read() as connection:
        rows = await connection.rows(select(webhooks.c.shadow_url))
    assert [row.shadow_url for row in rows] == [None, None]


async def test_shadow_is_refused_with_the_reason(api: Api, original: dict[str, Any]) -> None:
    assert (
        "only drafts are tried out"
        in (await refusal(api, "PUT", original, "/shadow", json={"url": "https://a.example/"}))[2]
    )
    assert "only drafts are tried out" in (await refusal(api, "DELETE", original, "/shadow"))[2]
    draft = await post(api, original, "draft")
    for url, words in (
        (original["url"], "would get each event twice"),
        ("https://inside.example/", "url"),
        ("http://10.0.0.1/", "url"),
        ("", "url must not be empty"),
    ):
        status, kind, detail = await refusal(api, "PUT", draft, "/shadow", json={"url": url})
        assert (status, kind) == (400, "invalid")
        assert words in detail
    outdated = {"If-Match": '"9"'}
    assert (await refusal(api, "DELETE", draft, "/shadow", headers=outdated))[0] == 412
