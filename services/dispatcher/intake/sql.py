"""Where each partition goes on, the fence between replicas, and the tree as events about workspaces change it."""

from collections.abc import Sequence

from sqlalchemy import text

from coro_events.contract.fields import WorkspaceType
from coro_events.contract.workspaces import WorkspaceCreated
from coro_events.errors import FenceLostError
from coro_events.runtime.logs import get_logger
from coro_events.store import tree
from coro_events.store.tree import PLACEHOLDER_STATUS, Node
from coro_events.store.unit import Database, WriteConnection
from services.dispatcher.intake.batch import Span, StatusChange
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
    """Creates the rows of new workspaces and keeps statuses, before events are matched."""

    async def grow(self, connection: WriteConnection, created: Sequence[WorkspaceCreated]) -> None:
        """Create the rows that are not there yet; a workspace that exists stays as it is."""
        await tree.lock_tree(connection)
        for workspace in created:
            await self._create(connection, workspace)

    async def keep_statuses(self, connection: WriteConnection, changes: Sequence[StatusChange]) -> None:
        """Write the statuses of the workspaces that are known; the last one of each counts."""
        await tree.set_statuses(
            connection, [(change.workspace_id, change.status.value, change.occurred_at) for change in changes]
        )

    async def _create(self, connection: WriteConnection, workspace: WorkspaceCreated) -> None:
        parent_id = workspace.parent_workspace_id
        nodes = await tree.find_nodes(connection, filter(None, (workspace.id, parent_id)))
        present = nodes.get(workspace.id)
        if present is not None and present.status != PLACEHOLDER_STATUS:
            return
        above: tuple[str, ...] = ()
        if parent_id is not None:
            above = nodes[parent_id].path if parent_id in nodes else (parent_id,)
            if workspace.id in above:
                _log.warning("workspace.cycle_refused", workspace_id=workspace.id, parent_id=parent_id)
                parent_id, above = None, ()
            elif parent_id not in nodes:
                # A parent that nobody has announced yet: events come in any order, and its own completes it.
                await tree.insert_node(connection, _placeholder(parent_id))
        node = Node(
            id=workspace.id,
            parent_id=parent_id,
            path=(*above, workspace.id),
            type=workspace.type.value,
            display_name=workspace.display_name,
            status=workspace.status.value,
        )
        if present is None:
            await tree.insert_node(connection, node)
            return
        await tree.describe_node(connection, node)
        await tree.move_node(connection, node.id, parent_id=parent_id, above=above)


def _placeholder(workspace_id: str) -> Node:
    return Node(
        id=workspace_id,
        parent_id=None,
        path=(workspace_id,),
        type=WorkspaceType.CHANNEL.value,
        display_name=workspace_id,
        status=PLACEHOLDER_STATUS,
    )
