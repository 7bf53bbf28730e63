"""The group is rebalanced again and again under load: partitions go and come, records do neither twice nor never."""

from collections.abc import Callable

from coro_events.runtime.clock import SystemClock
from tests.faults.audit import recovered_s, until_all_recorded
from tests.faults.judging import judge, result_of
from tests.faults.kafka import join_and_leave, under_load
from tests.faults.reporting import Result
from tests.faults.settings import LEASE_S
from tests.support.load import make_tree
from tests.support.stand import Stand

RATE_PER_S = 50
PATHS = ["/ok/a", "/ok/b"]
LIMIT_S = 60


async def test_each_record_is_planned_once_when_the_group_is_rebalanced_many_times(
    stand: Stand, report: Callable[[Result], None], rebalances: int
) -> None:
    await make_tree(stand, PATHS, strangers=0)
    # By default a dispatcher notices a rebalance within two seconds; a fast heart makes many of them affordable.
    dispatcher = stand.start_dispatcher("--heartbeat-ms=100", module="tests.support.odd_dispatcher")
    await dispatcher.ready()
    seen = 0
    async with under_load(stand, rate_per_s=RATE_PER_S) as load:
        while seen < rebalances:
            stand.check()
            await join_and_leave(stand)
            seen = dispatcher.output().count('"intake.assigned"')
    ended_at = SystemClock().now()
    await until_all_recorded(stand, load.accepted, limit_s=LIMIT_S)
    audited = await judge(stand, load.accepted, PATHS)
    everything = {row.hook_id for row in audited.rows}
    report(
        result_of(
            f"{seen:,} rebalances in a row",
            load.accepted,
            audited,
            in_flight=0,
            recovery_s=recovered_s(audited, everything, ended_at),
            limit_s=LEASE_S + 1,
        )
    )
