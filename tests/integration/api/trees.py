"""Calls of an internal service that keeps the tree, and the tree as it then stands."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import httpx
from sqlalchemy import select

from coro_events.store.tables import workspaces
from coro_events.store.unit import Database
from tests.integration.api.calls import Api

WORKSPACES = "/v1/workspaces"


def make_workspace(**changes: Any) -> dict[str, Any]:
    """Make the body of a workspace below `acme`."""
    return {
        "type": "child",
        "displayName": "Example Trade",
        "parentWorkspaceId": "acme",
        "status": "subscription",
    } | changes


async def put(api: Api, workspace_id: str, **changes: Any) -> httpx.Response:
    """Create or change a workspace."""
    return await api.call("PUT", f"{WORKSPACES}/{workspace_id}", json=make_workspace(**changes))


async def move(api: Api, workspace_id: str, parent_id: str | None) -> httpx.Response:
    """Move a workspace."""
    return await api.call("POST", f"{WORKSPACES}/{workspace_id}/move", json={"parentWorkspaceId": parent_id})


async def sync(api: Api, lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Sync a tree; return the lines of the answer."""
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    return await sync_bytes(api, body)


async def sync_bytes(api: Api, body: Any) -> list[dict[str, Any]]:
    """Sync what the bytes say, which may come in parts; return the lines of the answer."""
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await api.call("POST", f"{WORKSPACES}/sync", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def faults(answer: httpx.Response) -> list[tuple[str, str]]:
    """Return field and message of each fault."""
    assert answer.status_code == 400, answer.text
    return [(error["field"], error["message"]) for error in answer.json()["errors"]]


async def paths(database: Database) -> dict[str, list[str]]:
    """Return the path of every workspace."""
    async with database.read() as connection:
        return {row.id: row.path for row in await connection.rows(select(workspaces.c.id, workspaces.c.path))}


async def crooked(database: Database) -> list[str]:
    """Return the workspaces whose path is not the chain of their parents, which a circle would make them."""
    async with database.read() as connection:
        rows = await connection.rows(select(workspaces.c.id, workspaces.c.parent_id, workspaces.c.path))
    by_id = {row.id: row for row in rows}
    wrong = []
    for row in rows:
        above = [] if row.parent_id is None else by_id[row.parent_id].path
        if row.path != [*above, row.id] or len(set(row.path)) != len(row.path):
            wrong.append(row.id)
    return wrong
