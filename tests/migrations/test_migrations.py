"""Migrations go up and down, side by side, and end where the tables of the code are."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest
from alembic.command import check
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.schema import CreateIndex, CreateTable

from coro_events.migrate import alembic_config, head, migrate, schema_revision, unmigrate
from coro_events.store.engine import make_engine
from coro_events.store.partitions import DAYS_AHEAD, DAYS_BACK, PARTITIONED_TABLES, existing_days, make_partitions
from coro_events.store.tables import metadata
from coro_events.store.unit import Database
from tests.migrations.catalog import catalog
from tests.support.postgres import create_database, drop_database, new_name
from tests.support.processes import running
from tests.support.waiting import wait_until


@pytest.fixture
async def empty_database(empty_database_url: str) -> AsyncIterator[Database]:
    database = Database(make_engine(empty_database_url, application_name="coro-tests"))
    yield database
    await database.dispose()


async def test_schema_returns_when_it_is_unmade_and_made_again(
    empty_database_url: str, empty_database: Database
) -> None:
    await asyncio.to_thread(migrate, empty_database_url)
    first = await catalog(empty_database)
    assert await schema_revision(empty_database) == head()
    await asyncio.to_thread(unmigrate, empty_database_url)
    assert await catalog(empty_database) == set()
    await asyncio.to_thread(migrate, empty_database_url)
    assert await catalog(empty_database) == first


async def test_every_single_step_can_be_undone(empty_database_url: str, empty_database: Database) -> None:
    scripts = list(ScriptDirectory.from_config(alembic_config("")).walk_revisions())
    for script in reversed(scripts):
        before = await catalog(empty_database)
        await asyncio.to_thread(migrate, empty_database_url, revision=script.revision)
        after = await catalog(empty_database)
        await asyncio.to_thread(unmigrate, empty_database_url, revision="-1")
        assert await catalog(empty_database) == before, script.revision
        await asyncio.to_thread(migrate, empty_database_url, revision=script.revision)
        assert await catalog(empty_database) == after, script.revision


async def test_there_is_one_head_and_one_line_of_revisions() -> None:
    scripts = ScriptDirectory.from_config(alembic_config(""))
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1
    assert not [script.revision for script in scripts.walk_revisions() if script.is_merge_point]


async def test_alembic_finds_nothing_to_add_at_head(database_url: str) -> None:
    await asyncio.to_thread(check, alembic_config(database_url))


async def test_tables_of_the_code_equal_those_of_the_migrations(empty_database: Database, database: Database) -> None:
    async with empty_database.write() as connection:
        for table in metadata.sorted_tables:
            await connection.execute(CreateTable(table))
            for index in table.indexes:
                await connection.execute(CreateIndex(index))
    from_code, from_migrations = await catalog(empty_database), await catalog(database)
    assert from_code - from_migrations == set(), "only in the code"
    assert from_migrations - from_code == set(), "only in the migrations"


async def test_both_end_well_when_two_processes_migrate_at_once(
    empty_database_url: str, empty_database: Database
) -> None:
    environ = {"CORO_DATABASE_URL": empty_database_url}
    with (
        running("coro_events.migrate", environ=environ) as first,
        running("coro_events.migrate", environ=environ) as second,
    ):
        assert (await first.ended(), await second.ended()) == (0, 0), first.output() + second.output()
    assert await schema_revision(empty_database) == head()


async def test_migrating_waits_when_another_process_holds_the_lock(
    empty_database_url: str, empty_database: Database
) -> None:
    waiting = text(
        "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        " and database = (select oid from pg_database where datname = current_database())"
    )

    async def is_waiting() -> bool:
        async with empty_database.read() as connection:
            return bool(await connection.scalar(waiting))

    async with empty_database.write() as holder:
        await holder.execute(text("select pg_advisory_xact_lock(7046029254)"))
        with running("coro_events.migrate", environ={"CORO_DATABASE_URL": empty_database_url}) as process:
            await wait_until(is_waiting, what="the migrating process to wait for the lock")
            assert await schema_revision(empty_database) is None
            # Ends the holder's transaction, and with it the lock.
            await holder.execute(text("commit"))
            assert await process.ended() == 0, process.output()


async def test_migrating_says_what_is_missing_when_no_database_is_named() -> None:
    with running("coro_events.migrate", environ={}) as process:
        assert await process.ended() == 2
        assert process.output() == "CORO_DATABASE_URL is not set\n"


async def test_partitions_reach_from_last_week_into_the_week_after_next(
    empty_database_url: str, empty_database: Database
) -> None:
    async def today() -> date:
        async with empty_database.read() as connection:
            day: date = await connection.scalar(text("select current_date"))
        return day

    before = await today()
    await asyncio.to_thread(migrate, empty_database_url)
    reaches = [
        {day + timedelta(days=offset) for offset in range(-DAYS_BACK, DAYS_AHEAD + 1)}
        for day in (before, await today())
    ]
    for table in PARTITIONED_TABLES:
        async with empty_database.read() as connection:
            assert await existing_days(connection, table) in reaches, table


async def test_scheduler_finds_the_first_partitions_under_its_own_names(database: Database) -> None:
    async with database.write() as connection:
        days = await existing_days(connection, "events")
        assert await make_partitions(connection, min(days), max(days)) == []


async def test_revision_is_none_when_a_database_was_never_migrated(database_admin_url: str) -> None:
    name = new_name("bare")
    database = Database(make_engine(await create_database(database_admin_url, name), application_name="coro-tests"))
    assert await schema_revision(database) is None
    await database.dispose()
    await drop_database(database_admin_url, name)
