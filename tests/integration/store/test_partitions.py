"""Daily partitions in PostgreSQL."""

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy import insert, text

from coro_events.store.partitions import PARTITIONED_TABLES, drop_partitions, existing_days, make_partitions
from coro_events.store.tables import events
from coro_events.store.unit import Database
from tests.support.clock import START

DAY = date(2031, 3, 3)


async def test_missing_days_are_made_for_every_table_and_only_once(database: Database) -> None:
    async with database.write() as connection:
        made = await make_partitions(connection, DAY, DAY + timedelta(days=1))
    assert made == [f"{table}_{day}" for table in PARTITIONED_TABLES for day in ("20310303", "20310304")]
    async with database.write() as connection:
        assert await make_partitions(connection, DAY, DAY + timedelta(days=1)) == []
        for table in PARTITIONED_TABLES:
            assert DAY in await existing_days(connection, table)


async def test_row_lands_in_the_partition_of_its_day(database: Database) -> None:
    async with database.write() as connection:
        await make_partitions(connection, DAY, DAY)
        await connection.execute(
            insert(events).values(
                day=DAY,
                id="6f1d0c5e-3b52-5c7e-9a43-0d8a7be2c4f1",
                source="s",
                source_id="1",
                workspace_id="acme",
                type="workspace-created",
                occurred_at=START,
                data={},
            )
        )
        assert await connection.scalar(text("select count(*) from events_20310303")) == 1


async def test_new_partition_has_the_indexes_of_its_table(database: Database) -> None:
    async with database.write() as connection:
        await make_partitions(connection, DAY, DAY)
        query = text("select count(*) from pg_indexes where tablename = :table")
        for table in PARTITIONED_TABLES:
            of_table = await connection.scalar(query, {"table": table})
            assert await connection.scalar(query, {"table": f"{table}_20310303"}) == of_table
            assert of_table


async def test_days_before_are_dropped_and_the_day_stays(database: Database) -> None:
    async with database.write() as connection:
        newest = max(await existing_days(connection, "events"))
        dropped = await drop_partitions(connection, newest)
        assert len(dropped) == 21 * 3
        for table in PARTITIONED_TABLES:
            assert await existing_days(connection, table) == {newest}
        assert await drop_partitions(connection, newest) == []


async def test_nothing_changes_when_the_unit_of_work_fails(database: Database) -> None:
    async with database.read() as connection:
        before = await existing_days(connection, "events")

    async def work() -> None:
        async with database.write() as connection:
            await drop_partitions(connection, DAY)
            await make_partitions(connection, DAY, DAY)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await work()
    async with database.read() as connection:
        assert await existing_days(connection, "events") == before


async def test_both_end_well_when_two_make_the_same_day_at_once(database: Database) -> None:
    async def make() -> list[str]:
        async with database.write() as connection:
            return await make_partitions(connection, DAY, DAY + timedelta(days=3))

    both = await asyncio.gather(make(), make())
    assert sorted(len(made) for made in both) == [0, 12]
