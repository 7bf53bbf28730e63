"""How much of a day is read: as much as a batch is long, however long the day and however old its statistics."""

import uuid
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from coro_events.store.engine import make_engine
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.dispatcher.deliver.sql import SqlDueDeliveries
from services.dispatcher.hold.sql import SqlStoppedDeliveries
from services.dispatcher.intake.sql import SqlFence, SqlTree
from services.dispatcher.match.delivery import Delivery
from services.dispatcher.match.sql import SqlPlanner
from services.dispatcher.match.targets import Targets
from services.dispatcher.record.sql import SqlLedger
from tests.support.clock import FakeClock
from tests.support.dispatching import at_most, decoded_of, make_effect
from tests.support.makers import insert_webhook, insert_workspace, make_event

DELIVERIES = 3_000
BATCH = 50

# Rows of today's deliveries that were read: from end to end, or as entries of their indexes.
_READ = text(
    "select (select coalesce(sum(seq_tup_read), 0) from pg_stat_user_tables where relname like 'deliveries_%')"
    " + (select coalesce(sum(idx_tup_read), 0) from pg_stat_user_indexes where relname like 'deliveries_%')"
)


@pytest.fixture
async def one_connection(database_url: str) -> AsyncIterator[Database]:
    """Return a database that is used over one connection, whose counts are told when it is asked to."""
    database = Database(make_engine(database_url, application_name="coro-tests", pool_size=1, by_index=True))
    yield database
    await database.dispose()


async def rows_read(database: Database) -> int:
    async with database.autocommit() as connection:
        await connection.execute(text("select pg_stat_force_next_flush()"))
    async with database.autocommit() as connection:
        return int(await connection.scalar(_READ))


async def planned(database: Database, vault: Vault, clock: FakeClock, count: int) -> list[Delivery]:
    """Plan so many events in batches, so that the first statements meet an empty day; nothing analyzes it."""
    planner = SqlPlanner(
        database=database, fence=SqlFence(), tree=SqlTree(), targets=Targets(vault), clock=clock, lease_s=30.0
    )
    deliveries = []
    for _ in range(count // BATCH):
        plan = await planner.plan(decoded_of(*(make_event() for _ in range(BATCH))), at_most(1_000))
        deliveries += plan.claimed
    return deliveries


async def test_batch_reads_its_own_rows_alone_when_the_day_holds_many(
    one_connection: Database, vault: Vault, clock: FakeClock
) -> None:
    database = one_connection
    await insert_workspace(database, "acme")
    await insert_webhook(database, vault, name=uuid.uuid4().hex)
    ledger = SqlLedger(database=database, clock=clock)
    deliveries = await planned(database, vault, clock, BATCH)
    await ledger.record([make_effect(delivery) for delivery in deliveries])
    deliveries = await planned(database, vault, clock, DELIVERIES)
    before = await rows_read(database)
    for start in range(0, 10 * BATCH, BATCH):
        await ledger.record([make_effect(delivery) for delivery in deliveries[start : start + BATCH]])
    read = await rows_read(database) - before
    assert read <= 5 * 10 * BATCH, f"{read} rows were read to record {10 * BATCH} outcomes"


async def test_claims_and_holding_back_read_what_waits_alone_when_the_day_holds_many(
    one_connection: Database, vault: Vault, clock: FakeClock
) -> None:
    database = one_connection
    await insert_workspace(database, "acme")
    hook = await insert_webhook(database, vault, name=uuid.uuid4().hex)
    ledger = SqlLedger(database=database, clock=clock)
    due = SqlDueDeliveries(database=database, targets=Targets(vault), clock=clock, lease_s=30.0)
    stopped = SqlStoppedDeliveries(database)
    # Their statements are planned while nothing is there, and kept.
    assert [list(await due.claim(lambda _: BATCH, BATCH)), await stopped.hold_back(BATCH)] == [[], 0]
    deliveries = await planned(database, vault, clock, DELIVERIES)
    await ledger.record([make_effect(delivery) for delivery in deliveries[: DELIVERIES - BATCH]])
    await due.release(deliveries[DELIVERIES - BATCH :])
    before = await rows_read(database)
    assert len(await due.claim(lambda _: BATCH, BATCH // 2)) == BATCH // 2
    assert (await due.backlog()).due == BATCH // 2
    async with database.write() as connection:
        await connection.execute(text("update webhooks set state = 'disabled' where id = :id"), {"id": hook.id})
    assert await stopped.hold_back(BATCH // 4) == BATCH // 4
    async with database.write() as connection:
        await connection.execute(text("delete from webhooks where id = :id"), {"id": hook.id})
    assert await stopped.hold_back(BATCH) == BATCH // 2 - BATCH // 4
    read = await rows_read(database) - before
    # Whoever comes first passes by the entries of what is over, once.
    assert read <= DELIVERIES + 10 * BATCH, f"{read} rows were read to claim and to hold back {BATCH}"
