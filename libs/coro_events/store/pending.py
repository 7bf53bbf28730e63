"""Which days have anything pending, without reading more of each than the first entry of an index."""

from datetime import date

from sqlalchemy import text

from coro_events.store.unit import ReadConnection

# Each partition answers from its index of pending rows, nearly always empty. The order is the one of that index: else
# PostgreSQL may read all of it to find a single row.
_PENDING_DAYS = text(
    """
    select days.day from (
        select cast(cast(right(c.relname, 8) as text) as date) as day
        from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = cast('deliveries' as regclass)
    ) as days
    cross join lateral (
        select from deliveries d where d.day = days.day and d.state = 'pending' order by d.webhook_id, d.due_at limit 1
    ) as found
    order by days.day
    """
)


async def pending_days(connection: ReadConnection) -> list[date]:
    """Return the days that have pending deliveries, the oldest first."""
    return [row.day for row in await connection.rows(_PENDING_DAYS)]
