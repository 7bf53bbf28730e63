"""A million due rows: what a claim costs, and what a dispatcher that works them off keeps in memory."""

import time

from sqlalchemy import text

from coro_events.runtime.clock import SystemClock
from coro_events.store.engine import make_engine
from coro_events.store.unit import Database
from services.dispatcher.deliver.sql import SqlDueDeliveries
from services.dispatcher.match.targets import Targets
from tests.bench.figures import Figure, percentile
from tests.support.load import make_tree
from tests.support.makers import make_vault
from tests.support.stand import Stand
from tests.support.waiting import wait_until

SCENARIO = "1,000,000 due rows, 100 webhooks"
WEBHOOKS = 100
CLAIMED = 400

# Deliveries that the dispatcher sends before its memory is read.
SENT = 20_000


async def million(stand: Stand, *, rows: int = 1_000_000) -> list[Figure]:
    """Fill the tables, time claims, then let a dispatcher run."""
    await make_tree(stand, [f"/ok/{number}" for number in range(WEBHOOKS)])
    await _fill(stand, rows)
    # As the dispatcher has it.
    database = Database(make_engine(stand.database_url, application_name="coro-bench", by_index=True))
    due = SqlDueDeliveries(database=database, targets=Targets(make_vault()), clock=SystemClock(), lease_s=0.001)
    took_ms, sizes = [], []
    for _ in range(30):
        started = time.perf_counter()
        claimed = await due.claim(lambda _: 16, CLAIMED)
        took_ms.append((time.perf_counter() - started) * 1e3)
        sizes.append(len(claimed))
        await due.release(claimed)
    await database.dispose()
    # The first ones plan their statements and warm the cache.
    p50 = percentile(took_ms[10:], 0.5)
    dispatcher = stand.start_dispatcher()

    async def worked() -> bool:
        stand.check()
        return bool((await stand.statistics())["requests"] >= SENT)

    await wait_until(worked, what=f"{SENT} deliveries", limit_s=120, every_s=1)
    memory = dispatcher.memory_mb()
    return [
        Figure(SCENARIO, f"claim of {CLAIMED}, p50", p50, "ms", None, "≤ 10", p50 <= 10),
        Figure(SCENARIO, "rows a claim", sum(sizes) / len(sizes), "rows"),
        Figure(SCENARIO, "memory of the dispatcher, highest", memory, "MB", None, "≤ 150", memory <= 150),
    ]


async def _fill(stand: Stand, rows: int) -> None:
    async with stand.database.autocommit() as connection:
        await connection.execute(text("set statement_timeout = 0"))
        await connection.execute(
            text(
                """
                insert into events (day, id, source, source_id, workspace_id, type, occurred_at, data)
                select current_date, gen_random_uuid(), 'coro/bench', i, 'ws' || i % 100, 'protected-users-added',
                       now(), json_build_object('bench', 'n=' || i || ';t=0;')
                from generate_series(1, :events) i
                """
            ),
            {"events": rows // WEBHOOKS},
        )
        await connection.execute(
            text(
                """
                insert into deliveries (day, webhook_id, event_id, hook_id, workspace_id, due_at)
                select e.day, w.id, e.id, gen_random_uuid(), e.workspace_id, now() - interval '1 minute' * random()
                from events e cross join webhooks w where w.workspace_id = 'root'
                """
            )
        )
        await connection.execute(text("vacuum analyze"))
