"""Units of work on a real database: one commit, at the end, or nothing."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from coro_events.errors import StoreUnavailableError
from coro_events.store.engine import make_engine
from coro_events.store.tables import consumed
from coro_events.store.unit import Database
from tests.support.postgres import url_of

ROW = {"topic": "t", "partition": 0, "next_offset": 1}


async def count(database: Database) -> int:
    async with database.read() as connection:
        rows: int = await connection.scalar(text("select count(*) from consumed"))
    return rows


async def kill_sessions(database: Database, application_name: str) -> None:
    """Cut off every session of an application and wait until they are gone."""
    async with database.autocommit() as connection:
        await connection.execute(
            text("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = :name"),
            {"name": application_name},
        )


@pytest.fixture
async def victim(database_url: str) -> AsyncIterator[Database]:
    """Return a database with one pooled connection and short time-outs, whose sessions can be told by name."""
    engine = make_engine(
        database_url, application_name="coro-victim", pool_size=1, statement_timeout_s=1, connect_timeout_s=1
    )
    victim = Database(engine)
    yield victim
    await victim.dispose()


async def test_everything_is_there_when_the_block_ends_well(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(insert(consumed), [ROW, ROW | {"partition": 1}])
        assert await count(database) == 0
    assert await count(database) == 2


async def test_nothing_is_there_when_the_block_fails(database: Database) -> None:
    async def work() -> None:
        async with database.write() as connection:
            await connection.execute(insert(consumed), ROW)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await work()
    assert await count(database) == 0


async def test_nothing_is_there_when_the_block_is_cancelled(database: Database) -> None:
    written = asyncio.Event()

    async def work() -> None:
        async with database.write() as connection:
            await connection.execute(insert(consumed), ROW)
            written.set()
            await asyncio.Future()

    task = asyncio.ensure_future(work())
    await written.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await count(database) == 0


async def test_reading_refuses_to_write(database: Database) -> None:
    with pytest.raises((DBAPIError, StoreUnavailableError)):
        async with database.read() as connection:
            await connection.execute(insert(consumed), ROW)
    async with database.write() as connection:
        await connection.execute(insert(consumed), ROW)
    assert await count(database) == 1, "and the next user of the connection may write"


async def test_reading_by_connections_of_its_own_refuses_to_write(database_url: str) -> None:
    engine, reading = (
        make_engine(database_url, application_name="coro-tests", pool_size=1, read_only=read_only)
        for read_only in (False, True)
    )
    database = Database(engine, reading=reading)
    for statement in (insert(consumed).values(ROW), text("delete from consumed returning 1")):
        with pytest.raises((DBAPIError, StoreUnavailableError)):
            async with database.read() as connection:
                await connection.execute(statement)
    async with database.write() as connection:
        await connection.execute(insert(consumed), ROW)
    assert await count(database) == 1
    await database.dispose()


async def test_each_statement_counts_by_itself_when_committing_automatically(database: Database) -> None:
    async def work() -> None:
        async with database.autocommit() as connection:
            await connection.execute(insert(consumed), ROW)
            await connection.execute(insert(consumed), ROW)

    with pytest.raises(IntegrityError):
        await work()
    assert await count(database) == 1


async def test_reads_return_rows_a_row_and_a_value(database: Database) -> None:
    async with database.read() as connection:
        assert [row.n for row in await connection.rows(text("select generate_series(1, 3) as n"))] == [1, 2, 3]
        row = await connection.row(text("select 1 as a, :b as b"), {"b": "x"})
        assert row is not None
        assert (row.a, row.b) == (1, "x")
        assert await connection.row(text("select 1 where false")) is None
        assert await connection.scalar(text("select 1 where false")) is None


async def test_broken_rule_stays_what_it_is(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(insert(consumed), ROW)
    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await connection.execute(insert(consumed), ROW)


async def test_every_connection_has_its_name_time_zone_and_time_outs(victim: Database) -> None:
    wanted = {
        "application_name": "coro-victim",
        "TimeZone": "UTC",
        "statement_timeout": "1s",
        "idle_in_transaction_session_timeout": "1s",
        "lock_timeout": "500ms",
        "jit": "off",
    }
    async with victim.read() as connection:
        assert {name: await connection.scalar(text(f"show {name}")) for name in wanted} == wanted


async def test_outage_is_told_when_nothing_listens() -> None:
    database = Database(make_engine("postgresql://coro@127.0.0.1:1/coro", application_name="coro-tests"))
    with pytest.raises(StoreUnavailableError):
        async with database.read():
            pass


async def test_outage_is_told_when_the_session_is_cut_off_and_the_next_unit_works(
    victim: Database, database: Database
) -> None:
    async def work() -> None:
        async with victim.write() as connection:
            await connection.execute(insert(consumed), ROW)
            await kill_sessions(database, "coro-victim")
            await connection.execute(text("select 1"))

    with pytest.raises(StoreUnavailableError):
        await work()
    assert await count(victim) == 0


async def test_outage_is_told_at_most_once_when_an_idle_session_was_cut_off(
    victim: Database, database: Database
) -> None:
    assert await count(victim) == 0
    await kill_sessions(database, "coro-victim")
    with pytest.raises(StoreUnavailableError):
        await count(victim)
    assert await count(victim) == 0


async def test_outage_is_told_when_a_statement_takes_too_long(victim: Database) -> None:
    with pytest.raises(StoreUnavailableError):
        async with victim.read() as connection:
            await connection.execute(text("select pg_sleep(10)"))


async def test_outage_is_told_when_a_lock_is_not_free_in_time(victim: Database, database: Database) -> None:
    async with database.write() as holder:
        await holder.execute(text("lock table consumed"))
        with pytest.raises(StoreUnavailableError):
            await count(victim)


async def test_outage_is_told_when_every_connection_is_in_use(database_url: str) -> None:
    busy = Database(make_engine(database_url, application_name="coro-tests", pool_size=1, connect_timeout_s=0.5))
    async with busy.read() as connection:
        await connection.scalar(text("select 1"))
        with pytest.raises(StoreUnavailableError):
            await count(busy)
    assert await count(busy) == 0
    await busy.dispose()


async def test_address_of_a_missing_database_is_no_outage(database_admin_url: str) -> None:
    database = Database(make_engine(url_of(database_admin_url, "coro_nowhere"), application_name="coro-tests"))
    with pytest.raises(Exception, match='database "coro_nowhere" does not exist') as failed:
        await count(database)
    assert not isinstance(failed.value, StoreUnavailableError)
