"""The tree in PostgreSQL."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, literal, or_, select, text, true, update

from coro_events.contract.webhook_events import WebhookEvent
from coro_events.store import staging, tree
from coro_events.store.staging import Applied, LineFault, Staged
from coro_events.store.tables import workspaces
from coro_events.store.tree import Node
from coro_events.store.unit import Database, ReadConnection, WriteConnection
from services.api.webhooks.ports import Activity
from services.api.webhooks.sql import SqlWebhookChange
from services.api.workspaces.ports import Staging, Stopped, TreeChange, Wanted, Workspace, WorkspaceOrder

_c = workspaces.c

_ORDERS = {
    WorkspaceOrder.NAME: (func.lower(_c.display_name), _c.id),
    WorkspaceOrder.NAME_DOWN: (func.lower(_c.display_name).desc(), _c.id),
    WorkspaceOrder.ID: (_c.id,),
    WorkspaceOrder.ID_DOWN: (_c.id.desc(),),
    WorkspaceOrder.CREATED: (_c.created_at, _c.id),
    WorkspaceOrder.CREATED_DOWN: (_c.created_at.desc(), _c.id),
}

# The webhooks stay disabled when the workspace comes back: what they missed is a person's to replay.
_STOP_WEBHOOKS = text("""
    update webhooks set state = 'disabled', disabled_reason = 'workspace archived', revision = revision + 1,
        updated_at = :at
    where workspace_id = :id and state = 'enabled' returning id, name, version
""")


# Nothing of an archived workspace is tried out any more either.
_STOP_SHADOWS = text("""
    update webhooks set shadow_url = null, revision = revision + 1, updated_at = :at
    where workspace_id = :id and shadow_url is not null
""")


class SqlWorkspaces:
    """The workspaces on record, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def change(self) -> AsyncIterator[TreeChange]:
        """Open a transaction that holds the tree and ends with the block."""
        async with self._database.write() as connection:
            await tree.lock_tree(connection)
            yield SqlTreeChange(connection)

    @asynccontextmanager
    async def staging(self) -> AsyncIterator[Staging]:
        """Open a transaction that takes in many workspaces and ends with the block."""
        async with self._database.write() as connection:
            await staging.open_stage(connection)
            yield SqlStaging(connection)

    async def one(self, top: str, workspace_id: str) -> Workspace | None:
        """Return a workspace at or below another."""
        async with self._database.read() as connection:
            row = await connection.row(select(workspaces).where(_c.id == workspace_id, _is_within(top)))
        return None if row is None else _workspace(row)

    async def page(
        self, wanted: Wanted, *, page: int, page_size: int, order: WorkspaceOrder
    ) -> tuple[list[Workspace], int]:
        """Return one page of a list, and how many there are on all pages."""
        shown = _conditions(wanted)
        statement = select(workspaces).where(*shown).order_by(*_ORDERS[order])
        async with self._database.read() as connection:
            total: int = await connection.scalar(select(func.count()).select_from(workspaces).where(*shown))
            rows = await connection.rows(statement.limit(page_size).offset(page * page_size))
        return [_workspace(row) for row in rows], total


class SqlTreeChange:
    """One transaction that holds the tree."""

    def __init__(self, connection: WriteConnection) -> None:
        self._connection = connection
        self._told = SqlWebhookChange(connection)

    async def find(self, ids: Iterable[str]) -> Mapping[str, Node]:
        """Return those of these workspaces that there are, by id."""
        return await tree.find_nodes(self._connection, ids)

    async def height(self, workspace_id: str) -> int:
        """Return how many levels there are below a workspace."""
        return await tree.height_of(self._connection, workspace_id)

    async def holds_others(self, workspace_id: str, *, unarchived: bool = False) -> bool:
        """Return whether a workspace has others directly below it."""
        which = _c.archived_at.is_(None) if unarchived else true()
        below = select(_c.id).where(_c.parent_id == workspace_id, which).limit(1)
        return await self._connection.scalar(below) is not None

    async def insert(self, node: Node) -> None:
        """Add a workspace."""
        await tree.insert_node(self._connection, node)

    async def describe(self, node: Node) -> None:
        """Write what a workspace is, wherever it stands."""
        await tree.describe_node(self._connection, node)

    async def move(self, workspace_id: str, *, parent_id: str | None, above: Sequence[str]) -> int:
        """Put a workspace and all below it under another; return how many workspaces that were."""
        return await tree.move_node(self._connection, workspace_id, parent_id=parent_id, above=above)

    async def archive(self, workspace_id: str, at: datetime) -> list[Stopped]:
        """Archive a workspace, disable its webhooks, and return those that were enabled."""
        archived = update(workspaces).where(_c.id == workspace_id).values(archived_at=at, updated_at=at)
        await self._connection.execute(archived)
        rows = await self._connection.rows(_STOP_WEBHOOKS, {"id": workspace_id, "at": at})
        await self._connection.execute(_STOP_SHADOWS, {"id": workspace_id, "at": at})
        return [Stopped(row.id, row.name, row.version) for row in rows]

    async def view(self, workspace_id: str) -> Workspace:
        """Return a workspace as this transaction has left it."""
        return _workspace(await _the_row(self._connection, workspace_id))

    async def record(self, activity: Activity) -> None:
        """Write a line of the activity log."""
        await self._told.record(activity)

    async def publish(self, event: WebhookEvent) -> None:
        """Leave a message in the outbox."""
        await self._told.publish(event)


class SqlStaging:
    """One transaction that takes in many workspaces."""

    def __init__(self, connection: WriteConnection) -> None:
        self._connection = connection

    async def stage(self, workspaces: Sequence[Staged]) -> None:
        """Lay workspaces beside the tree; each id may come once."""
        await staging.stage(self._connection, workspaces)

    async def judge(self, top: str) -> list[LineFault]:
        """Hold the tree, and return what stands against what is staged, by line."""
        await tree.lock_tree(self._connection)
        return await staging.judge(self._connection, top)

    async def apply(self, *, actor: str, at: datetime) -> Applied:
        """Make the tree what is staged."""
        return await staging.apply(self._connection, actor=actor, at=at)


def _is_within(top: str) -> ColumnElement[bool]:
    return _c.path.contains([top])


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions = [_is_within(wanted.top)]
    if not wanted.with_archived:
        conditions.append(_c.archived_at.is_(None))
    if wanted.parent_id is not None:
        conditions.append(_c.parent_id == wanted.parent_id)
    if wanted.type is not None:
        conditions.append(_c.type == wanted.type)
    if wanted.status is not None:
        conditions.append(_c.status == wanted.status)
    if wanted.search is not None:
        # Not `like`: a per cent sign in what is searched for is one in the name.
        sought = func.lower(literal(wanted.search))
        holds = (func.strpos(func.lower(column), sought) > 0 for column in (_c.display_name, _c.id))
        conditions.append(or_(*holds))
    return conditions


async def _the_row(connection: ReadConnection, workspace_id: str) -> Row[Any]:
    return (await connection.rows(select(workspaces).where(_c.id == workspace_id)))[0]


def _workspace(row: Row[Any]) -> Workspace:
    return Workspace(
        id=row.id,
        parent_id=row.parent_id,
        path=tuple(row.path),
        type=row.type,
        display_name=row.display_name,
        status=row.status,
        notifications_level=row.notifications_level,
        archived_at=row.archived_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
