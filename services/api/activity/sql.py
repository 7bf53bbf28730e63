"""The activity log in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, any_, literal, select, tuple_

from coro_events.store.tables import activity_log, workspaces
from coro_events.store.unit import Database
from services.api.activity.ports import Cursor, Line, Search

_a = activity_log.c


class SqlActivityLog:
    """The log on record, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def is_within(self, workspace_id: str, top: str) -> bool:
        """Return whether a workspace is another one or stands below it."""
        here = (workspaces.c.id == workspace_id, literal(top) == any_(workspaces.c.path))
        async with self._database.read() as connection:
            return await connection.scalar(select(workspaces.c.id).where(*here)) is not None

    async def lines(self, search: Search, *, after: Cursor | None, limit: int) -> Sequence[Line]:
        """Return the next lines, newest first."""
        wanted = select(activity_log).where(*_conditions(search))
        if after is not None:
            wanted = wanted.where(tuple_(_a.at, _a.id) < tuple_(literal(after.at), literal(after.id)))
        newest = wanted.order_by(_a.at.desc(), _a.id.desc()).limit(limit)
        async with self._database.read() as connection:
            return [_line(row) for row in await connection.rows(newest)]


def _conditions(search: Search) -> list[ColumnElement[bool]]:
    if search.with_descendants:
        below = select(workspaces.c.id).where(workspaces.c.path.contains([search.workspace_id]))
        conditions: list[ColumnElement[bool]] = [_a.workspace_id.in_(below)]
    else:
        conditions = [_a.workspace_id == search.workspace_id]
    equal = (
        (_a.action, search.action),
        (_a.actor, search.actor),
        (_a.subject, search.subject),
        (_a.subject, search.webhook_id),
    )
    conditions += [column == value for column, value in equal if value is not None]
    if search.since is not None:
        conditions.append(_a.at >= search.since)
    if search.until is not None:
        conditions.append(_a.at < search.until)
    return conditions


def _line(row: Row[Any]) -> Line:
    return Line(
        id=row.id,
        workspace_id=row.workspace_id,
        at=row.at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        detail=row.detail,
    )
