"""The statements that grow and move the tree of workspaces, so that every path is the chain of its parents.

Whoever changes parents or paths holds the tree alone, from before the first look to the commit; whoever changes a
status holds it with others of its kind. Both lock it before any row of a workspace, so nobody waits in a circle.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from coro_events.store.locks import AdvisoryLock
from coro_events.store.unit import ReadConnection, WriteConnection

# Paths stand in every row and are compared at every event, so they stay short.
MAX_DEPTH = 32

# The status of a row that only holds the place of a parent whose own event has not come yet.
PLACEHOLDER_STATUS = "unknown"

_LOCK = text("select pg_advisory_xact_lock(:key)").bindparams(key=int(AdvisoryLock.TREE))
_SHARE = text("select pg_advisory_xact_lock_shared(:key)").bindparams(key=int(AdvisoryLock.TREE))

_FIND = text(
    "select id, parent_id, path, type, display_name, status, status_at, archived_at, notifications_level"
    " from workspaces where id = any (cast(:ids as text[]))"
)

_INSERT = text(
    "insert into workspaces (id, parent_id, path, type, display_name, status, status_at, notifications_level)"
    " values (:id, :parent_id, cast(:path as text[]), :type, :display_name, :status, :status_at,"
    " coalesce(:notifications_level, 'all'))"
)

_DESCRIBE = text(
    """
    update workspaces set type = :type, display_name = :display_name, status = :status, status_at = :status_at,
        archived_at = case when :status = 'inactive' then archived_at end, updated_at = now(),
        notifications_level = coalesce(:notifications_level, notifications_level)
    where id = :id
    """
)

_HEIGHT = text(
    "select coalesce(max(cardinality(path) - array_position(path, :id)), 0) from workspaces"
    " where path @> array[cast(:id as text)]"
)

# The workspace and everything below it: the new path above it in front of what the old path says from it on.
_MOVE = text(
    """
    update workspaces set path = cast(:above as text[]) || path[array_position(path, :id) :], updated_at = now(),
        parent_id = case when id = :id then :parent_id else parent_id end
    where path @> array[cast(:id as text)]
    """
)

# In the order of ids, so that two who do this at once do not wait for each other in a circle. A status of before the
# one on record changes nothing; a clock of the future must not shut out what comes after it.
_SET_STATUSES = text(
    """
    with given as (
        select distinct on (id) id, status, least(at, now()) as at
        from unnest(cast(:ids as text[]), cast(:statuses as text[]), cast(:times as timestamptz[]))
            with ordinality as t (id, status, at, i) order by id, least(at, now()) desc, i desc
    ), locked as materialized (
        select k.id, g.status, g.at from workspaces k join given g on g.id = k.id
        where k.status <> 'unknown' and (k.status_at is null or k.status_at <= g.at)
        order by k.id for no key update of k
    )
    update workspaces k set status = l.status, status_at = l.at, updated_at = now(),
        archived_at = case when l.status = 'inactive' then k.archived_at end
    from locked l where k.id = l.id
    """
)


@dataclass(frozen=True, slots=True)
class Node:
    """A workspace as it stands in the tree.

    Attributes:
        path: Ids from the root down to itself.
        status_at: Since when it has its status; none where nobody told.
        notifications_level: Who hears of it by mail; written, none leaves what is there, and is `all` in a new one.
    """

    id: str
    parent_id: str | None
    path: tuple[str, ...]
    type: str
    display_name: str
    status: str
    status_at: datetime | None = None
    archived_at: datetime | None = None
    notifications_level: str | None = None


async def lock_tree(connection: WriteConnection) -> None:
    """Keep everybody else from changing the tree until this transaction ends."""
    await connection.execute(_LOCK)


async def find_nodes(connection: ReadConnection, ids: Iterable[str]) -> dict[str, Node]:
    """Return those of these workspaces that there are, by id."""
    rows = await connection.rows(_FIND, {"ids": list(ids)})
    return {
        row.id: Node(
            id=row.id,
            parent_id=row.parent_id,
            path=tuple(row.path),
            type=row.type,
            display_name=row.display_name,
            status=row.status,
            status_at=row.status_at,
            archived_at=row.archived_at,
            notifications_level=row.notifications_level,
        )
        for row in rows
    }


async def insert_node(connection: WriteConnection, node: Node) -> None:
    """Add a workspace that is not there yet; its path is the caller's to know."""
    await connection.execute(_INSERT, {**_described(node), "parent_id": node.parent_id, "path": list(node.path)})


async def describe_node(connection: WriteConnection, node: Node) -> None:
    """Write what a workspace is, wherever it stands; one that is no longer inactive is no longer archived."""
    await connection.execute(_DESCRIBE, _described(node))


def _described(node: Node) -> dict[str, object]:
    return {
        "id": node.id,
        "type": node.type,
        "display_name": node.display_name,
        "status": node.status,
        "status_at": node.status_at,
        "notifications_level": node.notifications_level,
    }


async def height_of(connection: ReadConnection, workspace_id: str) -> int:
    """Return how many levels there are below a workspace."""
    levels: int = await connection.scalar(_HEIGHT, {"id": workspace_id})
    return levels


async def move_node(
    connection: WriteConnection, workspace_id: str, *, parent_id: str | None, above: Sequence[str]
) -> int:
    """Put a workspace below another, with everything below itself; return how many rows that were.

    Args:
        connection: It holds the tree.
        workspace_id: What moves.
        parent_id: The workspace that it comes under; none makes it a root.
        above: The path of that workspace; it must not hold the one that moves.
    """
    moved = await connection.execute(_MOVE, {"id": workspace_id, "parent_id": parent_id, "above": list(above)})
    return moved.rowcount


async def set_statuses(connection: WriteConnection, statuses: Sequence[tuple[str, str, datetime]]) -> None:
    """Write statuses of workspaces that there are, the latest of each; a placeholder waits for its own event.

    Args:
        connection: It holds no row of a workspace yet, unless it holds the tree.
        statuses: Workspace, status, and since when.
    """
    await connection.execute(_SHARE)
    ids, values, times = zip(*statuses, strict=True)
    await connection.execute(_SET_STATUSES, {"ids": list(ids), "statuses": list(values), "times": list(times)})
