"""What every adapter of `PartitionStore` promises."""

from collections.abc import Awaitable, Callable
from datetime import date

import pytest
from sqlalchemy import text

from coro_events.store.partitions import drop_partitions
from coro_events.store.unit import Database
from services.scheduler.chores.ports import PartitionStore
from services.scheduler.chores.sql import SqlPartitionStore
from tests.support.scheduler import FakePartitionStore

Names = Callable[[], Awaitable[set[str]]]

MONDAY, TUESDAY, WEDNESDAY = date(2031, 3, 3), date(2031, 3, 4), date(2031, 3, 5)


@pytest.fixture(params=["fake", "real"])
def real_database(request: pytest.FixtureRequest) -> Database | None:
    """Return where the real one is, or nothing for the fake."""
    return request.getfixturevalue("database") if request.param == "real" else None


@pytest.fixture
async def world(real_database: Database | None) -> tuple[PartitionStore, Names]:
    """Return a store without any partition, and what tells the names of all there are."""
    if real_database is None:
        fake = FakePartitionStore()

        async def fake_names() -> set[str]:
            return set(fake.names)

        return fake, fake_names

    async def names() -> set[str]:
        query = "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where c.relkind = 'r'"
        async with real_database.read() as connection:
            return {row.relname for row in await connection.rows(text(query))}

    async with real_database.write() as connection:
        await drop_partitions(connection, date(9999, 1, 1))
    return SqlPartitionStore(real_database, lock_s=0.25), names


def of(day: date) -> set[str]:
    return {f"{table}_{day:%Y%m%d}" for table in ("events", "deliveries", "attempts")}


async def test_every_table_has_a_partition_when_a_span_is_made(world: tuple[PartitionStore, Names]) -> None:
    store, names = world
    made = await store.make(MONDAY, WEDNESDAY)
    assert await names() == of(MONDAY) | of(TUESDAY) | of(WEDNESDAY)
    assert len(made) == 9
    assert set(made) == await names()


async def test_only_missing_ones_are_made_when_some_are_there(world: tuple[PartitionStore, Names]) -> None:
    store, names = world
    await store.make(TUESDAY, TUESDAY)
    assert set(await store.make(MONDAY, WEDNESDAY)) == of(MONDAY) | of(WEDNESDAY)
    assert await store.make(MONDAY, WEDNESDAY) == []
    assert await names() == of(MONDAY) | of(TUESDAY) | of(WEDNESDAY)


async def test_earlier_days_go_and_the_day_itself_stays_when_dropping(world: tuple[PartitionStore, Names]) -> None:
    store, names = world
    await store.make(MONDAY, WEDNESDAY)
    dropped = await store.drop(WEDNESDAY)
    assert set(dropped) == of(MONDAY) | of(TUESDAY)
    assert set(dropped[:3]) == of(MONDAY), "the oldest day goes first"
    assert await names() == of(WEDNESDAY)


async def test_nothing_happens_when_nothing_is_old(world: tuple[PartitionStore, Names]) -> None:
    store, names = world
    await store.make(MONDAY, MONDAY)
    assert await store.drop(MONDAY) == []
    assert await names() == of(MONDAY)
