"""The activity log: what is found, by whom, page by page and as a file."""

import csv
import io
import uuid
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from coro_events.store.tables import activity_log
from coro_events.store.unit import Database
from services.api.activity.service import EXPORT_STEP
from tests.integration.api.calls import Api, insert_credential
from tests.support.clock import FakeClock

SEARCH = "/v1/audit-logs/search"


async def write(database: Database, at: datetime, *rows: dict[str, Any]) -> None:
    """Write lines a minute apart, long before those of the test itself."""
    values = [
        {
            "workspace_id": "acme",
            "at": at - timedelta(days=1) + timedelta(minutes=number),
            "actor": "user:ada@example.com",
            "action": "webhook.created",
            "subject": f"subject-{number}",
            "detail": {},
            **row,
        }
        for number, row in enumerate(rows)
    ]
    async with database.write() as connection:
        await connection.execute(insert(activity_log).values(values))


async def found(api: Api, **filters: Any) -> list[dict[str, Any]]:
    """Return the lines of the log that are no sign-ins."""
    answer = await api.get(SEARCH, params={"pageSize": 100, **filters})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return [item for item in items if not item["action"].startswith("credential.")]


async def test_a_change_is_found_by_each_of_its_marks(api: Api) -> None:
    webhook = await api.create()
    other = await api.create(name="Another")
    lines = await found(api, webhookId=webhook["id"])
    assert [line["action"] for line in lines] == ["webhook.test_requested", "webhook.created"]
    (line,) = await found(api, action="webhook.created", subject=webhook["id"])
    assert line["workspaceId"] == "acme"
    assert line["at"] == webhook["created"]
    assert line["detail"]["name"] == webhook["name"]
    assert await found(api, actor=line["actor"], subject=other["id"], action="webhook.created")
    assert not await found(api, actor="user:nobody@example.com")
    assert not await found(api, webhookId=str(uuid.uuid4()))


async def test_lines_come_newest_first_between_two_times(api: Api, database: Database, clock: FakeClock) -> None:
    await write(database, clock.now(), {}, {}, {}, {})
    start_ms = int((clock.now() - timedelta(days=1)).timestamp() * 1000)
    lines = await found(api, since=start_ms + 60_000, until=start_ms + 180_000)
    assert [line["subject"] for line in lines] == ["subject-2", "subject-1"]


async def test_every_line_comes_once_when_lines_are_written_meanwhile(
    api: Api, database: Database, clock: FakeClock
) -> None:
    # All at one time: only the id tells them apart.
    await write(database, clock.now(), *[{"at": clock.now() - timedelta(hours=1)}] * 5)
    seen: list[str] = []
    parameters = {"pageSize": "2", "action": "webhook.created"}
    while True:
        page = (await api.get(SEARCH, params=parameters)).json()
        seen += [item["id"] for item in page["items"]]
        if page["nextCursor"] is None:
            break
        parameters["cursor"] = page["nextCursor"]
        await write(database, clock.now() + timedelta(days=1), {})
    assert len(seen) == len(set(seen)) == 5


async def test_a_search_reaches_what_stands_below_and_nothing_else(
    api: Api, database: Database, clock: FakeClock
) -> None:
    await write(database, clock.now(), {}, {"workspace_id": "acme-east"}, {"workspace_id": "rival"})
    assert {line["workspaceId"] for line in await found(api)} == {"acme"}
    assert {line["workspaceId"] for line in await found(api, descendants=True)} == {"acme", "acme-east"}
    assert {line["workspaceId"] for line in await found(api, workspaceId="acme-east")} == {"acme-east"}
    for outside in ("rival", "nowhere"):
        answer = await api.get(SEARCH, params={"workspaceId": outside})
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:coro:problem:out-of-reach")
    upwards = await api.elsewhere("acme-east").get(SEARCH, params={"workspaceId": "acme"})
    assert upwards.status_code == 403


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"cursor": "no cursor"}, "cursor"),
        ({"actor": "a\x00b"}, "actor"),
        ({"workspaceId": ""}, "workspaceId"),
        ({"webhookId": "none"}, "webhookId"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2", "until": "2"}, "until"),
        ({"until": str(10**18)}, "until"),
        ({"format": "xml"}, "format"),
        ({"pageSize": "0"}, "pageSize"),
    ],
)
async def test_a_search_is_refused_when_a_filter_makes_no_sense(
    api: Api, parameters: dict[str, str], field: str
) -> None:
    answer = await api.get(SEARCH, params=parameters)
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_viewer_may_search(api: Api, http: httpx.AsyncClient, database: Database) -> None:
    await insert_credential(database, client_id="viewer", role="viewer")
    viewer = Api(http, workspace=api.workspace)
    await viewer.sign_in("viewer")
    assert await found(viewer) == []


@pytest.mark.parametrize(
    ("parameters", "headers"), [({"format": "csv"}, {}), ({}, {"Accept": "text/csv"})], ids=["parameter", "header"]
)
async def test_all_lines_are_exported_however_many_there_are(
    api: Api, database: Database, clock: FakeClock, parameters: dict[str, str], headers: dict[str, str]
) -> None:
    await write(database, clock.now(), {"detail": {"name": "=1+1"}, "subject": "=1+1"}, *[{}] * EXPORT_STEP)
    answer = await api.get(SEARCH, params={"action": "webhook.created", "pageSize": "1", **parameters}, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert len(rows) == EXPORT_STEP + 1
    assert (rows[-1]["subject"], rows[-1]["detail"]) == ("'=1+1", '{"name": "=1+1"}')
    assert rows[0]["time"] > rows[-1]["time"]


async def test_format_json_wins_over_the_header(api: Api) -> None:
    answer = await api.get(SEARCH, params={"format": "json"}, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "application/json"
