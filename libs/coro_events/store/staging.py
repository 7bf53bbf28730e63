"""Many workspaces at once: laid beside the tree, judged as one, and applied in one transaction or not at all.

The order: `open_stage`, `stage` as often as needed, `lock_tree`, `judge`, and without faults `apply`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text

from coro_events.store.tree import MAX_DEPTH
from coro_events.store.unit import WriteConnection

_OPEN = (
    text(
        "create temporary table staged (line int not null, id text primary key, type text not null,"
        " display_name text not null, parent_id text, status text not null, notifications_level text) on commit drop"
    ),
    text("create temporary table placed (id text primary key, parent_id text, path text[]) on commit drop"),
)

_STAGE = text(
    "insert into staged (line, id, type, display_name, parent_id, status, notifications_level)"
    " select * from unnest(cast(:lines as int[]), cast(:ids as text[]), cast(:types as text[]),"
    " cast(:names as text[]), cast(:parents as text[]), cast(:statuses as text[]),"
    " cast(:levels as text[]))"
)

# What gets another place: whatever is new or has another parent, and everything below. `union` ends in circles too.
_AFFECTED = text(
    """
    insert into placed (id, parent_id)
    with recursive affected as (
        select s.id from staged s left join workspaces k on k.id = s.id
        where k.id is null or k.parent_id is distinct from s.parent_id
        union
        select k.id from affected a join workspaces k on k.parent_id = a.id
    )
    select a.id, case when s.id is null then k.parent_id else s.parent_id end
    from affected a left join staged s on s.id = a.id left join workspaces k on k.id = a.id
    """
)

# From those whose parent keeps its place, downwards. Who stands in or below a circle, or too deep, is never reached.
_WALK = text(
    """
    with recursive walk as (
        select p.id, coalesce(k.path, '{}') || p.id as path
        from placed p left join workspaces k on k.id = p.parent_id
        where not exists (select from placed above where above.id = p.parent_id)
            and coalesce(cardinality(k.path), 0) < :max_depth
        union all
        select p.id, w.path || p.id from walk w join placed p on p.parent_id = w.id
        where cardinality(w.path) < :max_depth
    )
    update placed p set path = w.path from walk w where w.id = p.id
    """
)

_IN_REACH = "(k.path @> array[cast(:top as text)] or k.status = 'unknown')"

_FAULTS = text(
    f"""
    select line, field, message from (
        select s.line, 'id' as field, 'is taken by a workspace out of reach' as message
        from staged s join workspaces k on k.id = s.id where not {_IN_REACH}
        union all
        select s.line, 'parentWorkspaceId', 'must stay as it is; the request is about this workspace'
        from staged s join workspaces k on k.id = s.id where s.id = :top and s.parent_id is distinct from k.parent_id
        union all
        select s.line, 'parentWorkspaceId', 'is required; only roots have none, and they are not made here'
        from staged s where s.parent_id is null and s.id <> :top
        union all
        select s.line, 'parentWorkspaceId', 'must be a workspace within reach, or one of this request'
        from staged s left join staged p on p.id = s.parent_id
        left join workspaces k on k.id = s.parent_id and k.path @> array[cast(:top as text)]
        where s.parent_id is not null and s.id <> :top and p.id is null and k.id is null
        union all
        select s.line, 'parentWorkspaceId', 'must be a channel; others can hold no workspaces'
        from staged s left join staged p on p.id = s.parent_id left join workspaces k on k.id = s.parent_id
        where coalesce(p.type, k.type) <> 'channel' and s.id <> :top
        union all
        select s.line, 'parentWorkspaceId', 'must not be archived'
        from staged s join workspaces k on k.id = s.parent_id left join staged p on p.id = s.parent_id
        where k.archived_at is not null and coalesce(p.status, k.status) = 'inactive' and s.id <> :top
        union all
        select s.line, 'type', 'must not be child where there is no workspace above'
        from staged s where s.type = 'child' and s.parent_id is null and s.id = :top
        union all
        select distinct s.line, 'type', 'must be channel while it holds other workspaces'
        from staged s join workspaces k on k.parent_id = s.id left join staged c on c.id = k.id
        where s.type <> 'channel' and c.id is null
        union all
        select s.line, 'parentWorkspaceId', 'must not end in a circle, nor lie more than {MAX_DEPTH} levels deep'
        from staged s join placed p on p.id = s.id where p.path is null
    ) as faults order by line, field
    """  # noqa: S608 - made of constants of this file
)

# A new tree comes with its parents in one statement, at whose end the foreign key is checked.
_INSERT = text(
    """
    with done as (
        insert into workspaces (id, parent_id, path, type, display_name, status, status_at, notifications_level)
        select s.id, s.parent_id, p.path, s.type, s.display_name, s.status, :at, coalesce(s.notifications_level, 'all')
        from staged s join placed p on p.id = s.id
        where not exists (select from workspaces k where k.id = s.id)
        returning id
    )
    insert into activity_log (workspace_id, at, actor, action, subject, detail)
    select id, :at, :actor, 'workspace.created', id,
        jsonb_build_object('type', type, 'displayName', display_name, 'parentWorkspaceId', parent_id, 'status', status)
            || jsonb_strip_nulls(jsonb_build_object('notificationsLevel', notifications_level))
    from done join staged using (id)
    """
)

_UPDATE = text(
    """
    with differing as materialized (
        select s.*, k.parent_id as parent_before, s.parent_id is distinct from k.parent_id as moves,
            s.status <> k.status as turns, array_remove(array[
                case when s.type <> k.type then 'type' end,
                case when s.display_name <> k.display_name then 'displayName' end,
                case when s.status <> k.status then 'status' end,
                case when s.notifications_level <> k.notifications_level then 'notificationsLevel' end],
                null) as changed
        from staged s join workspaces k on k.id = s.id
        where (s.parent_id, s.type, s.display_name, s.status, coalesce(s.notifications_level, k.notifications_level))
            is distinct from (k.parent_id, k.type, k.display_name, k.status, k.notifications_level)
    ), done as (
        update workspaces k set parent_id = d.parent_id, type = d.type, display_name = d.display_name,
            status = d.status, status_at = case when d.turns then :at else k.status_at end,
            archived_at = case when d.status = 'inactive' then k.archived_at end, updated_at = :at,
            notifications_level = coalesce(d.notifications_level, k.notifications_level)
        from differing d where k.id = d.id
    ), moved as (
        insert into activity_log (workspace_id, at, actor, action, subject, detail)
        select id, :at, :actor, 'workspace.moved', id, jsonb_build_object('from', parent_before, 'to', parent_id)
        from differing where moves returning 1
    ), updated as (
        insert into activity_log (workspace_id, at, actor, action, subject, detail)
        select id, :at, :actor, 'workspace.updated', id, jsonb_build_object('changed', to_jsonb(changed))
        from differing where cardinality(changed) > 0 returning 1
    )
    select (select count(*) from moved) as moved, (select count(*) from updated) as updated,
        (select count(*) from differing) as differing
    """
)

_REPATH = text(
    "update workspaces k set path = p.path, updated_at = :at from placed p where k.id = p.id and k.path <> p.path"
)


class Staged(NamedTuple):
    """A workspace as a request wants it.

    Attributes:
        line: Where in the request, from 1; faults name it.
        notifications_level: Who hears of it by mail; none leaves what is there, and is `all` in a new one.
    """

    line: int
    id: str
    type: str
    display_name: str
    parent_id: str | None
    status: str
    notifications_level: str | None = None


class LineFault(NamedTuple):
    """What is wrong with one line."""

    line: int
    field: str
    message: str


class Applied(NamedTuple):
    """What has become of the staged workspaces; one may be both moved and updated."""

    created: int
    moved: int
    updated: int
    unchanged: int


async def open_stage(connection: WriteConnection) -> None:
    """Make room for staged workspaces; it is gone with the transaction."""
    for statement in _OPEN:
        await connection.execute(statement)


async def stage(connection: WriteConnection, workspaces: Sequence[Staged]) -> None:
    """Lay workspaces beside the tree; each id may come once."""
    named = ("lines", "ids", "types", "names", "parents", "statuses", "levels")
    columns = dict(zip(named, zip(*workspaces, strict=True), strict=True))
    await connection.execute(_STAGE, {name: list(values) for name, values in columns.items()})


async def judge(connection: WriteConnection, top: str) -> list[LineFault]:
    """Find the place of everything that is staged, and return what stands against it, by line.

    Args:
        connection: It holds the tree.
        top: The workspace at or below which everything must be and stay.
    """
    # Nothing else gathers figures of a temporary table, and without them each join is planned for a handful of rows.
    await connection.execute(text("analyze staged"))
    await connection.execute(_AFFECTED)
    await connection.execute(text("analyze placed"))
    await connection.execute(_WALK, {"max_depth": MAX_DEPTH})
    return [LineFault(row.line, row.field, row.message) for row in await connection.rows(_FAULTS, {"top": top})]


async def apply(connection: WriteConnection, *, actor: str, at: datetime) -> Applied:
    """Make the tree what is staged, with a line in the activity log for each change.

    Args:
        connection: It holds the tree, and `judge` has found nothing.
        actor: Who does it, as the activity log names it.
        at: When.
    """
    told = {"actor": actor, "at": at}
    total: int = await connection.scalar(text("select count(*) from staged"))
    # New ones first: what is there already may come to stand below them.
    created = (await connection.execute(_INSERT, told)).rowcount
    (changed,) = await connection.rows(_UPDATE, told)
    await connection.execute(_REPATH, {"at": at})
    unchanged = total - created - changed.differing
    return Applied(created=created, moved=changed.moved, updated=changed.updated, unchanged=unchanged)
