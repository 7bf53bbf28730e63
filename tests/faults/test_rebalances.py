"""The group is rebalanced again and again under load: partitions go and come, records do neither twice nor never."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy import text

from coro_events.runtime.clock import SystemClock
from tests.faults.audit import recovered_s, until_all_recorded
from tests.faults.judging import judge, result_of
from tests.faults.kafka import join_and_leave, under_load
from tests.faults.reporting import Result
from tests.faults.scenarios import Scenario
from tests.faults.settings import LEASE_S
from tests.support.load import make_tree
from tests.support.stand import Stand
from tests.support.waiting import wait_until

RATE_PER_S = 50
PATHS = ["/ok/a", "/ok/b"]
# One in so many meets a batch that is read and not planned: then its records are read a second time.
HELD_UP_EVERY = 5
LIMIT_S = 60

_BLOCKED = text("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")


async def test_each_record_is_planned_once_when_the_group_is_rebalanced_many_times(
    stand: Stand, report: Callable[[Result], None], rebalances: int
) -> None:
    await make_tree(stand, PATHS, strangers=0)
    # By default a dispatcher notices a rebalance within two seconds; a fast heart makes many of them affordable.
    dispatcher = stand.start_dispatcher("--heartbeat-ms=100", module="tests.support.odd_dispatcher")
    await dispatcher.ready()
    seen = turns = 0
    async with under_load(stand, rate_per_s=RATE_PER_S) as load:
        while seen < rebalances:
            stand.check()
            turns += 1
            if turns % HELD_UP_EVERY:
                await join_and_leave(stand)
            else:
                async with _planning_held_up(stand):
                    await join_and_leave(stand)
            seen = dispatcher.output().count('"intake.assigned"')
    ended_at = SystemClock().now()
    await until_all_recorded(stand, load.accepted, limit_s=LIMIT_S)
    audited = await judge(stand, load.accepted, PATHS)
    # A repeated event is known by its id, so its deliveries cannot tell whether the record was planned twice.
    assert load.refused == 0
    assert await dispatcher.metric("coro_intake_records_total") == len(load.accepted), "a record was planned twice"
    async with stand.database.read() as connection:
        consumed = await connection.scalar(text("select sum(next_offset) from consumed"))
    assert consumed == len(load.accepted), "the offsets are not those of what was planned"
    assert dispatcher.said("intake.fence_lost"), "no batch was late; the fence was not needed"
    everything = {row.hook_id for row in audited.rows}
    report(
        result_of(
            Scenario.REBALANCES,
            load.accepted,
            audited,
            in_flight=0,
            recovery_s=recovered_s(audited, everything, ended_at),
            limit_s=LEASE_S + 1,
            times=seen,
        )
    )


@asynccontextmanager
async def _planning_held_up(stand: Stand) -> AsyncIterator[None]:
    """Keep a batch that is read from being planned for the block; where its partitions begin can be read all the same.

    As a database that is slow for a moment does, or a process that stands still.
    """
    async with stand.database.write() as connection:
        await connection.rows(text("select next_offset from consumed for update"))

        async def blocked() -> bool:
            async with stand.database.read() as other:
                return bool(await other.scalar(_BLOCKED))

        await wait_until(blocked, what="a batch to wait for its turn", limit_s=LIMIT_S)
        yield
