"""What webhooks have got, in PostgreSQL."""

import uuid
from collections.abc import Sequence

from sqlalchemy import text

from coro_events.contract.place import Place
from coro_events.store.unit import Database
from services.api.drafts.ports import SentEvent

_LAST = text("""
    select d.hook_id, d.event_id, e.type, e.workspace_id, e.occurred_at, cast(e.data as text) as data, e.sequence,
           coalesce(e.workspace_name, k.display_name) as display_name,
           coalesce(e.workspace_type, k.type) as workspace_type, coalesce(e.workspace_path, k.path) as path
    from (
        select day, event_id, hook_id, created_at from deliveries
        where webhook_id = :webhook_id and kind = 'event' order by created_at desc, event_id desc limit :limit
    ) d
    join events e on e.day = d.day and e.id = d.event_id join workspaces k on k.id = e.workspace_id
    order by d.created_at desc, d.event_id desc
""")

_PLACE = text("select display_name, type, path from workspaces where id = :id")


class SqlSentEvents:
    """What webhooks have got, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last(self, webhook_id: uuid.UUID, limit: int) -> Sequence[SentEvent]:
        """Return the last events that were planned for a webhook, newest first."""
        async with self._database.read() as connection:
            rows = await connection.rows(_LAST, {"webhook_id": webhook_id, "limit": limit})
        return [
            SentEvent(
                event_id=row.event_id,
                hook_id=row.hook_id,
                type=row.type,
                workspace_id=row.workspace_id,
                occurred_at=row.occurred_at,
                data=row.data.encode(),
                place=Place(row.display_name, row.workspace_type, tuple(row.path), row.sequence),
            )
            for row in rows
        ]

    async def place(self, workspace_id: str) -> Place:
        """Return where an event of a workspace would happen; its number is the first."""
        async with self._database.read() as connection:
            (row,) = await connection.rows(_PLACE, {"id": workspace_id})
        return Place(row.display_name, row.type, tuple(row.path), 1)
