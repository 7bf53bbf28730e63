"""What planning one event costs, in a small tree and in a very large one."""

import time

from sqlalchemy import text

from coro_events.runtime.clock import SystemClock
from services.dispatcher.intake.batch import Decoded
from services.dispatcher.intake.sql import SqlFence, SqlTree
from services.dispatcher.match.sql import SqlPlanner
from services.dispatcher.match.targets import Targets
from tests.bench.figures import Figure, percentile
from tests.support.dispatching import at_most
from tests.support.load import make_marked_event, make_tree
from tests.support.makers import make_vault
from tests.support.stand import Stand

SCENARIO = "1,000,000 workspaces, 100,000 webhooks"
ROUNDS = 300

_GROWTH = (
    """
    insert into workspaces (id, path, type, display_name)
    select 'm' || i, array['m' || i], 'channel', 'm' from generate_series(0, :workspaces / 1000) i
    """,
    """
    insert into workspaces (id, parent_id, path, type, display_name)
    select 'k' || i, 'm' || i / 1000, array['m' || i / 1000, 'k' || i], 'child', 'k'
    from generate_series(1, :workspaces) i
    """,
    """
    insert into webhooks (id, workspace_id, version, name, url, apply_to_all_descendants, triggers, secret_sealed)
    select gen_random_uuid(), 'k' || i * (:workspaces / :webhooks), 1, 'k', 'http://127.0.0.1:9/', false,
           array['protected-users-added'], '\\x00'
    from generate_series(1, :webhooks) i
    """,
)


async def large_tree(stand: Stand, *, workspaces: int = 1_000_000, webhooks: int = 100_000) -> list[Figure]:
    """Time the planning of single events before and after the tree has grown."""
    await make_tree(stand, ["/ok/0"], strangers=100)
    small = await _plan_each(stand, first=0)
    await _grow(stand, workspaces, webhooks)
    large = await _plan_each(stand, first=ROUNDS)
    again = await _plan_each(stand, first=2 * ROUNDS)
    p50_small, p50_large = percentile(small, 0.5), min(percentile(large, 0.5), percentile(again, 0.5))
    ratio = p50_large / p50_small
    return [
        Figure(SCENARIO, "planning one event among 100 webhooks, p50", p50_small, "ms"),
        Figure(SCENARIO, "planning one event in the large tree, p50", p50_large, "ms", p50_small),
        Figure(SCENARIO, "ratio of the two", ratio, "x", 1.0, "≤ 1.2", ratio <= 1.2),
    ]


class _NoFence(SqlFence):
    """Plans without a partition."""

    async def advance(self, connection: object, spans: object) -> None:
        del connection, spans


async def _plan_each(stand: Stand, *, first: int) -> list[float]:
    planner = SqlPlanner(
        database=stand.database,
        fence=_NoFence(),
        tree=SqlTree(),
        targets=Targets(make_vault()),
        clock=SystemClock(),
        lease_s=30,
    )
    took_ms = []
    for number in range(first, first + ROUNDS):
        event = make_marked_event(number)
        decoded = Decoded(spans=[], events={event.id: event})
        started = time.perf_counter()
        plan = await planner.plan(decoded, at_most(1))
        took_ms.append((time.perf_counter() - started) * 1e3)
        assert len(plan.claimed) == 1
    return took_ms[ROUNDS // 3 :]


async def _grow(stand: Stand, workspaces: int, webhooks: int) -> None:
    """Grow MSPs of a thousand children each, every tenth child with a webhook of its own."""
    async with stand.database.autocommit() as connection:
        await connection.execute(text("set statement_timeout = 0"))
        await connection.execute(text("set maintenance_work_mem = '512MB'"))
        await connection.execute(text("drop index ix_workspaces_path"))
        for statement in _GROWTH:
            given = {"workspaces": workspaces, "webhooks": webhooks}
            await connection.execute(
                text(statement), {name: value for name, value in given.items() if f":{name}" in statement}
            )
        await connection.execute(text("create index ix_workspaces_path on workspaces using gin (path)"))
        await connection.execute(text("vacuum analyze"))
