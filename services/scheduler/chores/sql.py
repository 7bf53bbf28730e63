"""The daily partitions in PostgreSQL, each day changed in a short transaction of its own."""

from datetime import date, timedelta

from sqlalchemy import text

from coro_events.store.partitions import PARTITIONED_TABLES, drop_partitions, existing_days, make_partitions
from coro_events.store.unit import Database, WriteConnection


class SqlPartitionStore:
    """Satisfies `PartitionStore`."""

    def __init__(self, database: Database, *, lock_s: float) -> None:
        """Keep the settings.

        Args:
            database: Where the tables are.
            lock_s: How long a change may wait for the lock on a table. Everybody else queues up behind it for that
                time, so it is short; the next round tries again.
        """
        self._database = database
        self._lock_s = lock_s

    async def make(self, first: date, last: date) -> list[str]:
        """Make what is missing from the first to the last day; return the names of the new partitions."""
        made = []
        for day in await self._missing(first, last):
            async with self._database.write() as connection:
                await self._hurry(connection)
                made += await make_partitions(connection, day, day)
        return made

    async def drop(self, before: date) -> list[str]:
        """Drop every partition of an earlier day, the oldest day first; return their names."""
        dropped = []
        for day in await self._old(before):
            async with self._database.write() as connection:
                await self._hurry(connection)
                dropped += await drop_partitions(connection, day + timedelta(days=1))
        return dropped

    async def compare(self, first: date, last: date, before: date) -> tuple[list[date], list[date]]:
        """Return the days that `make` and `drop` would change, each in order."""
        return await self._missing(first, last), await self._old(before)

    async def _missing(self, first: date, last: date) -> list[date]:
        wanted = {first + timedelta(days=offset) for offset in range((last - first).days + 1)}
        first_table, *others = await self._days()
        return sorted(wanted - first_table.intersection(*others))

    async def _old(self, before: date) -> list[date]:
        return sorted(day for day in set.union(*await self._days()) if day < before)

    async def _hurry(self, connection: WriteConnection) -> None:
        await connection.execute(text(f"set local lock_timeout = {int(self._lock_s * 1000)}"))

    async def _days(self) -> list[set[date]]:
        async with self._database.read() as connection:
            return [await existing_days(connection, table) for table in PARTITIONED_TABLES]
