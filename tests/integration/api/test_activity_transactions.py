"""Every change and its line in the activity log are one transaction: where the line cannot be written, nothing is."""

import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select, text
from structlog.testing import capture_logs

from coro_events.store.tables import (
    api_credentials,
    deliveries,
    outbox,
    replays,
    webhook_versions,
    webhooks,
    workspaces,
)
from coro_events.store.unit import Database
from services.api.app import make_routes
from services.api.docs.document import operations
from tests.integration.api.calls import WEBHOOKS, Api, insert_credential
from tests.integration.api.past import insert_delivery
from tests.integration.api.test_drafts import post, release
from tests.support.clock import FakeClock
from tests.support.makers import insert_workspace
from tests.unit.api.bodies import make_body

# Refuses every line but those of sign-ins, which are no changes.
NO_LINES = (
    "create function refuse_line() returns trigger language plpgsql as $$ begin raise exception 'no line'; end $$",
    "create trigger refuse_line before insert on activity_log for each row execute function refuse_line()",
)
# When a credential was last used is no change that anybody made.
TABLES = (webhooks, webhook_versions, replays, deliveries, workspaces, outbox, api_credentials)
COLUMNS = tuple([column for column in table.c if column.name != "last_used_at"] for table in TABLES)
WEBHOOK = f"{WEBHOOKS}/{{webhook}}"
CREDENTIALS = "/v1/settings/api-credentials"

FOR_SERVICES = ("/v1/workspaces", "/v1/webhook-versions")
NEW_WORKSPACE = {"type": "regular", "displayName": "West", "status": "new", "parentWorkspaceId": "acme"}

# What each operation that changes something is called with, by its id; braces name what is there.
CHANGES: dict[str, tuple[str, str, Any]] = {
    "createWebhook": ("POST", WEBHOOKS, make_body(name="Another")),
    "updateWebhook": ("PUT", WEBHOOK, make_body(name="Changed")),
    "deleteWebhook": ("DELETE", WEBHOOK, None),
    "testWebhook": ("GET", f"{WEBHOOK}/test", None),
    "rotateWebhookSecret": ("POST", f"{WEBHOOK}/rotate-secret", {"secret": "another-long-secret"}),
    "createReplay": ("POST", f"{WEBHOOK}/replays", {"since": 0}),
    "cancelReplay": ("DELETE", f"{WEBHOOK}/replays/{{replay}}", None),
    "retryDelivery": ("POST", f"{WEBHOOK}/deliveries/{{failed}}/retry", None),
    "resendDelivery": ("POST", f"{WEBHOOK}/deliveries/{{delivered}}/resend", None),
    "createDraft": ("POST", f"{WEBHOOK}/draft", None),
    "publishDraft": ("POST", f"{WEBHOOKS}/{{draft}}/publish", None),
    "switchBack": ("POST", f"{WEBHOOKS}/{{published}}/switch-back", None),
    "setShadow": ("PUT", f"{WEBHOOKS}/{{draft}}/shadow", {"url": "https://billing.example.com/other"}),
    "endShadow": ("DELETE", f"{WEBHOOKS}/{{draft}}/shadow", None),
    "releaseWebhookVersion": ("POST", "/v1/webhook-versions/3/release", {}),
    "createApiCredential": ("POST", CREDENTIALS, {"name": "New", "role": "viewer"}),
    "revokeApiCredential": ("DELETE", f"{CREDENTIALS}/{{credential}}", None),
    "putWorkspace": ("PUT", "/v1/workspaces/acme-west", NEW_WORKSPACE),
    "moveWorkspace": ("POST", "/v1/workspaces/acme-east/move", {"parentWorkspaceId": "acme-mid"}),
    "archiveWorkspace": ("PUT", "/v1/workspaces/acme-idle/archive", None),
}
# Signs in or only asks; lines are judged while the answer is on its way, so its status says nothing.
NO_CHANGES = {"createAccessToken", "explainMadeUpEvent", "syncWorkspaces"}


def test_every_operation_that_changes_something_is_tried() -> None:
    document = make_routes().openapi()
    reading = {item["get"]["operationId"] for item in document["paths"].values() if "get" in item} - {"testWebhook"}
    told = {operation["operationId"] for _, operation in operations(document)}
    assert told - reading == CHANGES.keys() | NO_CHANGES


@pytest.fixture
async def places(api: Api, database: Database, clock: FakeClock) -> dict[str, str]:
    """Make everything that the changes need; return its ids by the names that the paths use."""
    for workspace, changes in (("acme-mid", {"type": "channel"}), ("acme-idle", {"status": "inactive"})):
        await insert_workspace(database, workspace, parent="acme", **changes)
    async with database.write() as connection:
        await connection.execute(insert(webhook_versions).values(version=3))
    await release(database, clock, 2)
    # One version comes after the other.
    await clock.advance(1)
    webhook = (await api.create())["id"]
    drafts = [await post(api, await api.create(name=name), "draft") for name in ("Drafted", "Published")]
    shadow = {"url": "https://billing.example.com/next"}
    assert (await api.call("PUT", f"{WEBHOOKS}/{drafts[0]['id']}/shadow", json=shadow)).status_code == 200
    await post(api, drafts[1], "publish")
    at = clock.now() - timedelta(hours=1)
    failed = await insert_delivery(database, webhook, at)
    delivered = await insert_delivery(database, webhook, at, state="delivered", attempts=1)
    credential = await insert_credential(database, client_id="another")
    answer = await api.call("POST", f"{WEBHOOKS}/{webhook}/replays", json={"since": _since(clock)})
    return {
        "webhook": webhook,
        "failed": str(failed),
        "delivered": str(delivered),
        "credential": str(credential),
        "replay": answer.json()["id"],
        "draft": drafts[0]["id"],
        "published": drafts[1]["id"],
    }


def _since(clock: FakeClock) -> int:
    return int((clock.now() - timedelta(hours=2)).timestamp() * 1000)


async def state(database: Database) -> list[list[str]]:
    """Return all that is on record but the log itself."""
    async with database.read() as connection:
        return [sorted(map(str, await connection.rows(select(*columns)))) for columns in COLUMNS]


async def test_nothing_changes_when_the_log_cannot_be_written(
    api: Api, http: httpx.AsyncClient, database: Database, clock: FakeClock, places: dict[str, str]
) -> None:
    callers = {}
    for role in ("super_admin", "service"):
        client_id = f"{role}-{uuid.uuid4().hex[:6]}"
        await insert_credential(database, client_id=client_id, role=role)
        callers[role] = Api(http, workspace=api.workspace)
        await callers[role].sign_in(client_id)
    async with database.write() as connection:
        for statement in NO_LINES:
            await connection.execute(text(statement))
    before = await state(database)
    for name, (method, path, body) in CHANGES.items():
        caller = callers["service" if path.startswith(FOR_SERVICES) else "super_admin"]
        asked = {"since": _since(clock)} if name == "createReplay" else body
        arguments = {} if asked is None else {"json": asked}
        # Nobody reads the traces of these failures, and drawing them takes long.
        with capture_logs():
            answer = await caller.call(method, path.format_map(places), **arguments)
        # A second replay is refused before the log is asked; there it is enough that nothing changed.
        expected = 409 if name == "createReplay" else 500
        assert answer.status_code == expected, f"{name}: {answer.text}"
        assert await state(database) == before, name
