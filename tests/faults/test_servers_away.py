"""PostgreSQL and Kafka that go away at once, under load, and come back."""

from collections.abc import Callable
from datetime import datetime

from coro_events.runtime.clock import SystemClock
from tests.faults.audit import in_flight_at, recovered_s, until_all_recorded
from tests.faults.judging import judge, result_of
from tests.faults.kafka import Load, under_load
from tests.faults.reporting import Result
from tests.faults.scenarios import Scenario
from tests.faults.servers import Servers
from tests.faults.settings import BACK_OFF_S, LEASE_S, MOST_UNRECORDED
from tests.support.load import make_tree
from tests.support.stand import Stand
from tests.support.waiting import wait_until

RATE_PER_S = 150
PATHS = [f"/slow/20/{name}" for name in "abcd"]
# From the return of the server: whoever waits for it comes back, and what nobody holds is taken after its lease.
RECOVERY_S = LEASE_S + 1 + BACK_OFF_S
LIMIT_S = 90


async def _start(stand: Stand) -> None:
    await make_tree(stand, PATHS, strangers=0)
    await stand.start_dispatcher().ready()


async def _unanswered(load: Load, events: int) -> None:
    await wait_until(lambda: load.unanswered >= events, what=f"{events} events without an answer", limit_s=30)


async def _finish(
    stand: Stand,
    load: Load,
    *,
    begun: int,
    cut_at: datetime,
    restored_at: datetime,
    scenario: Scenario,
    report: Callable[[Result], None],
) -> None:
    await until_all_recorded(stand, load.accepted, limit_s=LIMIT_S)
    audited = await judge(stand, load.accepted, PATHS)
    in_flight = in_flight_at(audited, cut_at)
    assert 0 < len(in_flight) <= MOST_UNRECORDED, "nothing was in flight when the server went away, or too much"
    late = {row.hook_id for row in audited.rows if int(row.source_id) < begun}
    report(
        result_of(
            scenario,
            load.accepted,
            audited,
            in_flight=len(in_flight),
            recovery_s=recovered_s(audited, late, restored_at),
            limit_s=RECOVERY_S,
        )
    )


async def test_all_is_delivered_when_the_database_was_away(
    servers: Servers, own_stand: Stand, report: Callable[[Result], None]
) -> None:
    await _start(own_stand)
    async with under_load(own_stand, rate_per_s=RATE_PER_S) as load:
        await load.grown(2 * RATE_PER_S)
        cut_at = SystemClock().now()
        servers.cut_database()
        await load.grown(2 * RATE_PER_S)
        await servers.restore_database()
        restored_at, begun = SystemClock().now(), load.sent
        await load.grown(RATE_PER_S)
    await _finish(
        own_stand,
        load,
        begun=begun,
        cut_at=cut_at,
        restored_at=restored_at,
        scenario=Scenario.DATABASE_AWAY,
        report=report,
    )


async def test_all_is_delivered_when_the_database_was_away_for_longer_than_a_lease(
    servers: Servers, own_stand: Stand, report: Callable[[Result], None]
) -> None:
    await _start(own_stand)
    async with under_load(own_stand, rate_per_s=RATE_PER_S) as load:
        await load.grown(2 * RATE_PER_S)
        cut_at = SystemClock().now()
        servers.cut_database()
        await load.grown(int((LEASE_S + 1) * RATE_PER_S))
        await servers.restore_database()
        restored_at, begun = SystemClock().now(), load.sent
        await load.grown(RATE_PER_S)
    await _finish(
        own_stand,
        load,
        begun=begun,
        cut_at=cut_at,
        restored_at=restored_at,
        scenario=Scenario.DATABASE_LONG_AWAY,
        report=report,
    )


async def test_all_is_delivered_when_kafka_was_away(
    servers: Servers, own_stand: Stand, report: Callable[[Result], None]
) -> None:
    await _start(own_stand)
    async with under_load(own_stand, rate_per_s=RATE_PER_S) as load:
        await load.grown(2 * RATE_PER_S)
        cut_at = SystemClock().now()
        servers.cut_kafka()
        await _unanswered(load, 2 * RATE_PER_S)
        await servers.restore_kafka()
        restored_at, begun = SystemClock().now(), load.sent
        await load.grown(RATE_PER_S)
    await _finish(
        own_stand,
        load,
        begun=begun,
        cut_at=cut_at,
        restored_at=restored_at,
        scenario=Scenario.KAFKA_AWAY,
        report=report,
    )


async def test_all_is_delivered_when_both_were_away(
    servers: Servers, own_stand: Stand, report: Callable[[Result], None]
) -> None:
    await _start(own_stand)
    async with under_load(own_stand, rate_per_s=RATE_PER_S) as load:
        await load.grown(2 * RATE_PER_S)
        cut_at = SystemClock().now()
        servers.cut_kafka()
        servers.cut_database()
        await _unanswered(load, 2 * RATE_PER_S)
        await servers.restore_database()
        await servers.restore_kafka()
        restored_at, begun = SystemClock().now(), load.sent
        await load.grown(RATE_PER_S)
    await _finish(
        own_stand, load, begun=begun, cut_at=cut_at, restored_at=restored_at, scenario=Scenario.BOTH_AWAY, report=report
    )
