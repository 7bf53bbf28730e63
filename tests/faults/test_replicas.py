"""Two and three dispatchers share partitions and due rows; joining and leaving neither loses nor doubles."""

import asyncio
from collections.abc import Callable

from coro_events.runtime.clock import SystemClock
from tests.faults.audit import recovered_s, until_all_recorded
from tests.faults.judging import judge, result_of
from tests.faults.kafka import under_load
from tests.faults.reporting import Result
from tests.faults.scenarios import Scenario
from tests.faults.settings import LEASE_S, PARTITIONS
from tests.support.load import make_tree
from tests.support.stand import Dispatcher, Stand
from tests.support.waiting import wait_until

RATE_PER_S = 150
# The slow one gets more than the lanes of three carry, so that its rows wait in the database for whoever has room.
PATHS = ["/ok/a", "/ok/b", "/slow/350/c"]
# Of coro.events and coro.webhooks.
ALL_PARTITIONS = 2 * PARTITIONS
DELIVERED = 'coro_attempts_total{outcome="delivered"}'
# What is left of the slow one's rows goes out through one lane.
LIMIT_S = 110


async def test_nothing_is_lost_or_doubled_when_replicas_join_and_leave(
    stand: Stand, report: Callable[[Result], None]
) -> None:
    await make_tree(stand, PATHS, strangers=0)
    dispatchers = [stand.start_dispatcher()]
    await dispatchers[0].ready()
    async with under_load(stand, rate_per_s=RATE_PER_S) as load:
        await load.grown(RATE_PER_S)
        for _ in range(2):
            dispatchers.append(stand.start_dispatcher())
            await _share(dispatchers)
            await load.grown(RATE_PER_S)
        for figure in (DELIVERED, "coro_deliveries_claimed_total"):
            await _each_has(dispatchers, figure)
        while len(dispatchers) > 1:
            assert await dispatchers.pop(0).stop() == 0
            await _share(dispatchers)
            await load.grown(RATE_PER_S)
    ended_at = SystemClock().now()
    await until_all_recorded(stand, load.accepted, limit_s=LIMIT_S)
    audited = await judge(stand, load.accepted, PATHS)
    quick = {row.hook_id for row in audited.rows if row.url != stand.url(PATHS[-1])}
    assert {(row.state, row.attempts) for row in audited.rows} == {("delivered", 1)}
    report(
        result_of(
            Scenario.REPLICAS,
            load.accepted,
            audited,
            in_flight=0,
            recovery_s=recovered_s(audited, quick, ended_at),
            limit_s=LEASE_S + 1,
        )
    )


async def _each_has(dispatchers: list[Dispatcher], figure: str) -> None:
    """Wait until this figure of each is more than nothing."""

    async def all_have() -> bool:
        return min(await asyncio.gather(*(one.metric(figure) for one in dispatchers))) > 0

    await wait_until(all_have, what=f"{figure} of each to grow", limit_s=40, every_s=0.1)


async def _share(dispatchers: list[Dispatcher]) -> None:
    """Wait until each has partitions and all of them together have all."""

    async def shared() -> bool:
        for dispatcher in dispatchers:
            await dispatcher.ready()
        held = await asyncio.gather(*(one.metric("coro_intake_partitions") for one in dispatchers))
        return min(held) > 0 and sum(held) == ALL_PARTITIONS

    await wait_until(shared, what=f"{len(dispatchers)} dispatchers to share the partitions", limit_s=40, every_s=0.1)
