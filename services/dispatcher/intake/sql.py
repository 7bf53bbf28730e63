"""Where each partition goes on, the fence between replicas, and the tree as `workspace-created` events grow it."""

from collections.abc import Sequence

from sqlalchemy import text

from coro_events.contract.workspaces import WorkspaceCreated
from coro_events.errors import FenceLostError
from coro_events.runtime.logs import get_logger
from coro_events.store.locks import AdvisoryLock
from coro_events.store.unit import Database, WriteConnection
from services.dispatcher.intake.batch import Span
from services.dispatcher.intake.ports import Offsets

_log = get_logger("intake")

_REMEMBER = text(
    "insert into consumed (topic, partition, next_offset)"
    " select * from unnest(cast(:topics as text[]), cast(:partitions as int[]), cast(:offsets as bigint[]))"
    " on conflict do nothing"
)
_LOAD = text(
    "select c.topic, c.partition, c.next_offset from consumed c"
    " join unnest(cast(:topics as text[]), cast(:partitions as int[])) as k (topic, partition)"
    " on c.topic = k.topic and c.partition = k.partition"
)
_REWIND = text(
    "update consumed c set next_offset = k.next_offset"
    " from unnest(cast(:topics as text[]), cast(:partitions as int[]), cast(:offsets as bigint[]))"
    " as k (topic, partition, next_offset) where c.topic = k.topic and c.partition = k.partition"
)
_ADVANCE = text(
    "update consumed c set next_offset = k.next_offset"
    " from unnest(cast(:topics as text[]), cast(:partitions as int[]), cast(:firsts as bigint[]),"
    " cast(:nexts as bigint[])) as k (topic, partition, first_offset, next_offset)"
    " where c.topic = k.topic and c.partition = k.partition and c.next_offset = k.first_offset"
)

_LOCK = text("select pg_advisory_xact_lock(:key)").bindparams(key=int(AdvisoryLock.TREE))

_FIND = text("select id, parent_id, path, status from workspaces where id = any (cast(:ids as text[]))")

# A parent that nobody has announced yet: events of different workspaces come in any order. Its own event completes it.
_PLACEHOLDER = text(
    "insert into workspaces (id, path, type, display_name, status) values (:id, array[:id], 'channel', :id, 'unknown')"
    " on conflict do nothing"
)

_UPSERT = text(
    """
    insert into workspaces (id, parent_id, path, type, display_name, status)
    values (:id, :parent_id, cast(:path as text[]), :type, :display_name, :status)
    on conflict (id) do update set parent_id = excluded.parent_id, path = excluded.path, type = excluded.type,
        display_name = excluded.display_name, status = excluded.status, updated_at = now()
    where workspaces.status = 'unknown'
    """
)

# Everything below a workspace that has just got its place: the new path in front of the rest of the old one.
_REPATH = text(
    """
    update workspaces set path = cast(:path as text[]) || path[array_position(path, :id) + 1 :], updated_at = now()
    where path @> array[cast(:id as text)] and id <> :id
    """
)


class SqlConsumedOffsets:
    """Keeps the offsets beside the deliveries they stand for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, starts: Offsets) -> Offsets:
        """Return where to go on in each of the named partitions; one never seen begins at its given start."""
        topics = [topic for topic, _ in starts]
        partitions = [partition for _, partition in starts]
        keys = {"topics": topics, "partitions": partitions}
        async with self._database.write() as connection:
            await connection.execute(_REMEMBER, {**keys, "offsets": list(starts.values())})
            rows = await connection.rows(_LOAD, keys)
        return {(row.topic, row.partition): row.next_offset for row in rows}

    async def rewind(self, starts: Offsets) -> None:
        """Begin these partitions again at the given starts."""
        async with self._database.write() as connection:
            await connection.execute(
                _REWIND,
                {
                    "topics": [topic for topic, _ in starts],
                    "partitions": [partition for _, partition in starts],
                    "offsets": list(starts.values()),
                },
            )


class SqlFence:
    """Advances the offsets inside the planning transaction."""

    async def advance(self, connection: WriteConnection, spans: Sequence[Span]) -> None:
        """Move each span's partition from its first to its next offset.

        Raises:
            FenceLostError: A partition is not where the span begins.
        """
        moved = await connection.execute(
            _ADVANCE,
            {
                "topics": [span.topic for span in spans],
                "partitions": [span.partition for span in spans],
                "firsts": [span.first_offset for span in spans],
                "nexts": [span.next_offset for span in spans],
            },
        )
        if moved.rowcount != len(spans):
            raise FenceLostError(f"{len(spans) - moved.rowcount} of {len(spans)} partitions")


class SqlTree:
    """Creates the rows of new workspaces, before their events are matched."""

    async def grow(self, connection: WriteConnection, created: Sequence[WorkspaceCreated]) -> None:
        """Create the rows that are not there yet; a workspace that exists stays as it is."""
        await connection.execute(_LOCK)
        for workspace in created:
            await self._create(connection, workspace)

    async def _create(self, connection: WriteConnection, workspace: WorkspaceCreated) -> None:
        parent_id = workspace.parent_workspace_id
        rows = {row.id: row for row in await connection.rows(_FIND, {"ids": [workspace.id, parent_id or ""]})}
        present = rows.get(workspace.id)
        if present is not None and present.status != "unknown":
            return
        path = [workspace.id]
        if parent_id is not None:
            if parent_id not in rows:
                await connection.execute(_PLACEHOLDER, {"id": parent_id})
            above = list(rows[parent_id].path) if parent_id in rows else [parent_id]
            if workspace.id in above:
                _log.warning("workspace.cycle_refused", workspace_id=workspace.id, parent_id=parent_id)
                parent_id, above = None, []
            path = [*above, workspace.id]
        await connection.execute(
            _UPSERT,
            {
                "id": workspace.id,
                "parent_id": parent_id,
                "path": path,
                "type": workspace.type.value,
                "display_name": workspace.display_name,
                "status": workspace.status.value,
            },
        )
        if present is not None:
            await connection.execute(_REPATH, {"id": workspace.id, "path": path})
