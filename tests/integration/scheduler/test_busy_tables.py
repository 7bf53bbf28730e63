"""Changes of partitions stand in nobody's way for long."""

import asyncio
import time
from datetime import date

import pytest
from sqlalchemy import text

from coro_events.errors import StoreUnavailableError
from coro_events.store.unit import Database
from services.scheduler.chores.sql import SqlPartitionStore
from tests.support.waiting import wait_until

DAY = date(2031, 3, 3)
LOCK_S = 1.0


async def is_queueing(database: Database) -> bool:
    """Tell whether a change waits for a table."""
    async with database.read() as connection:
        return bool(
            await connection.scalar(
                text(
                    "select count(*) from pg_locks where not granted and relation is not null"
                    " and database = (select oid from pg_database where datname = current_database())"
                )
            )
        )


@pytest.mark.parametrize("change", ["make", "drop"])
async def test_others_go_on_soon_when_a_change_waits_behind_a_long_read(database: Database, change: str) -> None:
    store = SqlPartitionStore(database, lock_s=LOCK_S)
    async with database.write() as reader:
        await reader.execute(text("select count(*) from events"))
        changing = asyncio.ensure_future(store.make(DAY, DAY) if change == "make" else store.drop(DAY))
        await wait_until(lambda: is_queueing(database), what="the change to queue up")
        started_s = time.monotonic()
        async with database.write() as dispatcher:
            await dispatcher.execute(text("delete from events"))
        assert time.monotonic() - started_s < LOCK_S + 3, "it queued up behind the change for longer than that may wait"
        with pytest.raises(StoreUnavailableError):
            await changing
    assert await (store.make(DAY, DAY) if change == "make" else store.drop(DAY)), "the next round succeeds"
