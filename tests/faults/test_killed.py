"""A dispatcher that is killed at full load: nothing lost, nothing doubled but what was in flight, soon taken over."""

from collections.abc import Callable, Sequence
from datetime import datetime

from coro_events.runtime.clock import SystemClock
from tests.faults.audit import left_by_the_gone, pending_now, picked_up_s, until_all_recorded, until_arrived
from tests.faults.judging import judge, result_of
from tests.faults.reporting import Result
from tests.faults.scenarios import Scenario
from tests.faults.settings import LEASE_S, MOST_UNRECORDED, TAKEOVER_S
from tests.support.load import make_tree, produce
from tests.support.stand import Stand

# A backlog that is worked off within a lease: what is due earlier goes first, and would hide the take-over.
EVENTS = 1_000
LATE_EVENTS = 300
PATHS = [f"/slow/20/{name}" for name in "abcd"]
# What waits in memory, too, is no more than can be worked off at once when it is taken over.
SETTINGS = {"CORO_DISPATCHER_MAX_WAITING": "200"}
LIMIT_S = 60
# What was due or held is picked up when the lease is over, and a second later at the most.
CLAIMS_S = LEASE_S + 1
# What lies in partitions that Kafka still counts as the dead one's is read when it gives its session up.
PARTITIONS_S = TAKEOVER_S + 1


async def test_the_other_goes_on_when_one_of_two_is_killed(stand: Stand, report: Callable[[Result], None]) -> None:
    stand.settings |= SETTINGS
    await make_tree(stand, PATHS, strangers=0)
    victim, survivor = stand.start_dispatcher(), stand.start_dispatcher()
    await victim.ready()
    await survivor.ready()
    await produce(stand, EVENTS)
    await until_arrived(stand, EVENTS)
    killed_at = SystemClock().now()
    victim.kill()
    pending = await pending_now(stand)
    # Half of these lie in partitions of the victim.
    await produce(stand, LATE_EVENTS, first=EVENTS)
    await _judge_recovery(
        stand, killed_at, pending, [Scenario.KILLED_CLAIMS, Scenario.KILLED_PARTITIONS], report, paths=PATHS
    )


async def test_the_same_goes_on_when_the_only_one_is_killed_and_started(
    stand: Stand, report: Callable[[Result], None]
) -> None:
    stand.settings |= SETTINGS
    paths = PATHS[:2]
    await make_tree(stand, paths, strangers=0)
    victim = stand.start_dispatcher()
    await victim.ready()
    await produce(stand, EVENTS)
    await until_arrived(stand, EVENTS // 2)
    killed_at = SystemClock().now()
    victim.kill()
    pending = await pending_now(stand)
    # It is in the group again only when Kafka has given up its own former self; deliveries need no group.
    stand.start_dispatcher()
    await produce(stand, LATE_EVENTS, first=EVENTS)
    await _judge_recovery(
        stand, killed_at, pending, [Scenario.KILLED_ALONE, Scenario.KILLED_ALONE_PARTITIONS], report, paths=paths
    )


async def _judge_recovery(
    stand: Stand,
    killed_at: datetime,
    pending: dict[str, datetime | None],
    scenarios: Sequence[Scenario],
    report: Callable[[Result], None],
    *,
    paths: Sequence[str],
) -> None:
    """Wait for the end and report two lines: of what was open at the kill, and of everything."""
    accepted = range(EVENTS + LATE_EVENTS)
    await until_all_recorded(stand, accepted, limit_s=LIMIT_S)
    audited = await judge(stand, accepted, paths)
    left = left_by_the_gone(audited, pending)
    assert 0 < len(left.in_flight) <= MOST_UNRECORDED, "it was not killed at work, or had more in flight than it may"
    assert audited.duplicated.keys() <= left.in_flight, "what was not in flight came twice"
    everything = {str(row.hook_id) for row in audited.rows}
    for scenario, hook_ids, limit_s in zip(
        scenarios, (left.waiting, everything), (CLAIMS_S, PARTITIONS_S), strict=True
    ):
        report(
            result_of(
                scenario,
                accepted,
                audited,
                in_flight=len(left.in_flight),
                recovery_s=picked_up_s(audited, hook_ids, killed_at),
                limit_s=limit_s,
            )
        )
