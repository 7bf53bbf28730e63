"""Daily partitions of events, deliveries and attempts: made ahead, dropped whole after the retention time."""

from datetime import date, timedelta

from sqlalchemy import text

from coro_events.store.locks import AdvisoryLock
from coro_events.store.unit import ReadConnection, WriteConnection

PARTITIONED_TABLES = ("events", "deliveries", "attempts")

# Room left in a page, in which a claim rewrites its row without touching an index.
_STORAGE = {"deliveries": " with (fillfactor = 90)"}

# How far back an event's own time is believed; an older one is filed under the oldest such day.
DAYS_BACK = 7
# How far ahead partitions are kept: a scheduler may be down for that long without harm.
DAYS_AHEAD = 14


async def existing_days(connection: ReadConnection, table: str) -> set[date]:
    """Return the days for which a table has a partition."""
    rows = await connection.rows(
        text(
            "select right(c.relname, 8) as day from pg_inherits i join pg_class c on c.oid = i.inhrelid"
            " where i.inhparent = cast(:table as regclass)"
        ),
        {"table": table},
    )
    return {date.fromisoformat(row.day) for row in rows}


async def make_partitions(connection: WriteConnection, first: date, last: date) -> list[str]:
    """Make the missing partitions of every day from first to last; return the names of the new ones."""
    # Two processes that make the same partition at once would fail on each other's catalogue rows.
    await connection.execute(text(f"select pg_advisory_xact_lock({AdvisoryLock.PARTITIONS})"))
    made = []
    for table in PARTITIONED_TABLES:
        present = await existing_days(connection, table)
        for offset in range((last - first).days + 1):
            day = first + timedelta(days=offset)
            if day in present:
                continue
            name = f"{table}_{day:%Y%m%d}"
            storage = _STORAGE.get(table, "")
            bounds = f"from ('{day}') to ('{day + timedelta(days=1)}')"
            await connection.execute(
                text(f"create table if not exists {name} partition of {table} for values {bounds}{storage}")
            )
            made.append(name)
    return made


async def drop_partitions(connection: WriteConnection, before: date) -> list[str]:
    """Drop every partition of a day before the given one; return their names."""
    dropped = []
    for table in PARTITIONED_TABLES:
        for day in sorted(await existing_days(connection, table)):
            if day < before:
                name = f"{table}_{day:%Y%m%d}"
                await connection.execute(text(f"drop table if exists {name}"))
                dropped.append(name)
    return dropped
