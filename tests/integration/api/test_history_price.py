"""What a page of history costs does not depend on how long the history is."""

import uuid
from typing import Any

import pytest
from sqlalchemy import text

from coro_events.rules.deliveries import DeliveryState
from coro_events.runtime.clock import SystemClock
from coro_events.store.unit import Database
from services.api.history import sql
from services.api.history.ports import Filters, Key

pytestmark = pytest.mark.slow

SHORT, LONG = 1_000, 100_000
# A page of a million may take half as long again as one of a thousand; the index is one level deeper, no more.
AT_MOST = 1.5

# Six days of deliveries, a hundred of them in each moment, as batches make them; one of forty failed.
_FILL = text("""
    insert into deliveries (day, webhook_id, event_id, hook_id, workspace_id, state, due_at, created_at)
    select cast(m.at as date), :webhook_id, gen_random_uuid(), gen_random_uuid(), 'acme',
           case when m.i % 40 = 0 then 'failed' else 'delivered' end, m.at, m.at
    from (select i, now() - (i / 100 * 100) * interval '6 days' / :count as at
          from generate_series(0, :count - 1) as i) as m
""")


async def pages_read(database: Database, webhook_id: uuid.UUID, filters: Filters, after: Key | None) -> int:
    """Return how many pages of PostgreSQL one page of a history touches."""
    inner, params = sql._indexed(filters, after)
    recent = f"select {sql._COLUMNS} {sql._OF_WEBHOOK} {inner} {sql._NEWEST_FIRST} limit 21"
    statement = f"explain (analyze, buffers, format json) {sql._page(recent, '', 21).text}"
    async with database.read() as connection:
        (plan,) = await connection.scalar(text(statement), {**params, "webhook_id": webhook_id})
    touched: dict[str, Any] = plan["Plan"]
    assert touched["Actual Rows"] == 21
    return int(touched["Shared Hit Blocks"] + touched["Shared Read Blocks"])


@pytest.fixture
async def histories(database: Database) -> tuple[uuid.UUID, uuid.UUID]:
    """Return a webhook with a short history and one with a long one."""
    ids = uuid.uuid4(), uuid.uuid4()
    async with database.write() as connection:
        for webhook_id, count in zip(ids, (SHORT, LONG), strict=True):
            await connection.execute(_FILL, {"webhook_id": webhook_id, "count": count})
    async with database.autocommit() as connection:
        await connection.execute(text("analyze deliveries"))
    return ids


async def test_page_costs_the_same_in_a_short_and_in_a_long_history(
    database: Database, histories: tuple[uuid.UUID, uuid.UUID]
) -> None:
    short, long = histories
    now = SystemClock().now()
    failed = Filters(states=frozenset({DeliveryState.FAILED}))
    # The first page, one from the middle of a batch of the same moment, and one of what few deliveries end in.
    first = await sql.SqlHistory(database).of_webhook(long, Filters(), after=None, size=20)
    for filters, after in ((Filters(), None), (Filters(), first.next), (failed, None), (Filters(until=now), None)):
        begun = await pages_read(database, short, filters, None)
        assert await pages_read(database, long, filters, after) <= AT_MOST * begun, filters
