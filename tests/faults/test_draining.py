"""SIGTERM under load: what is in flight ends and is recorded, the rest is released at once, the other goes on."""

import signal
from collections.abc import Callable

from sqlalchemy import text

from coro_events.runtime.clock import SystemClock
from coro_events.runtime.supervisor import CANCEL_WITHIN_S
from services.dispatcher.app import CLOSE_WITHIN_S
from tests.faults.audit import until_all_recorded, until_arrived
from tests.faults.judging import judge, result_of
from tests.faults.reporting import Result
from tests.faults.scenarios import Scenario
from tests.faults.servers import Servers
from tests.faults.settings import MOST_UNRECORDED
from tests.support.load import make_tree, produce
from tests.support.stand import Stand

EVENTS = 1_500
FEW_EVENTS = 100
PATHS = [f"/slow/200/{name}" for name in "abcd"]
# So long that whatever waited for a lease would show.
LEASE_S = 300
DRAIN_S = 10
LIMIT_S = 60
# For a machine that is busy with other things.
SLACK_S = 8


async def test_the_rest_is_released_at_once_when_a_dispatcher_is_asked_to_end(
    stand: Stand, report: Callable[[Result], None]
) -> None:
    stand.settings |= {"CORO_DISPATCHER_LEASE_S": f"{LEASE_S}", "CORO_DISPATCHER_DRAIN_S": f"{DRAIN_S}"}
    await make_tree(stand, PATHS, strangers=0)
    first = stand.start_dispatcher()
    await first.ready()
    await produce(stand, EVENTS)
    await until_arrived(stand, EVENTS)
    asked_at = SystemClock().now()
    assert await first.stop() == 0, first.output()[-2000:]
    ended_at = SystemClock().now()
    drained_s = (ended_at - asked_at).total_seconds()
    assert drained_s <= DRAIN_S, "it took longer than the drain deadline"
    async with stand.database.read() as connection:
        (left,) = await connection.rows(_LEFT)
    assert (left.held, left.later) == (0, 0), "it left with claims, or with rows that are due later"
    assert left.free, "nothing was left to release; the load was too small"
    arrived = {arrival.hook_id for arrival in await stand.arrivals()}
    async with stand.database.read() as connection:
        recorded = {str(row.hook_id) for row in await connection.rows(text("select hook_id from attempts"))}
    assert arrived == recorded, "an attempt that was under way is not recorded"
    await stand.start_dispatcher().ready()
    await until_all_recorded(stand, range(EVENTS), limit_s=LIMIT_S)
    audited = await judge(stand, range(EVENTS), PATHS)
    first_again = min(arrival.at for arrival in audited.arrivals if arrival.hook_id not in arrived)
    report(
        result_of(
            Scenario.SIGTERM,
            range(EVENTS),
            audited,
            in_flight=0,
            recovery_s=first_again - ended_at.timestamp(),
            limit_s=DRAIN_S,
        )
    )


async def test_the_end_has_a_limit_when_database_and_kafka_are_away(
    own_stand: Stand, servers: Servers, report: Callable[[Result], None]
) -> None:
    own_stand.settings["CORO_DISPATCHER_DRAIN_S"] = f"{DRAIN_S}"
    await make_tree(own_stand, PATHS, strangers=0)
    dispatcher = own_stand.start_dispatcher()
    await dispatcher.ready()
    await produce(own_stand, FEW_EVENTS)
    await until_arrived(own_stand, FEW_EVENTS // 2)
    servers.cut_kafka()
    servers.cut_database()
    asked_at = SystemClock().now()
    dispatcher.signal(signal.SIGTERM)
    # What could not be recorded overruns the drain, so all of it passes.
    limit_s = DRAIN_S + CANCEL_WITHIN_S + CLOSE_WITHIN_S + SLACK_S
    assert await dispatcher.ended(limit_s=limit_s) == 0
    ended_s = (SystemClock().now() - asked_at).total_seconds()
    await servers.restore_database()
    await servers.restore_kafka()
    # Its connections ended with the server.
    await own_stand.database.dispose()
    arrived = {arrival.hook_id for arrival in await own_stand.arrivals()}
    async with own_stand.database.read() as connection:
        recorded = {str(row.hook_id) for row in await connection.rows(text("select hook_id from attempts"))}
    assert len(arrived - recorded) <= MOST_UNRECORDED
    await own_stand.start_dispatcher().ready()
    await until_all_recorded(own_stand, range(FEW_EVENTS), limit_s=LIMIT_S)
    audited = await judge(own_stand, range(FEW_EVENTS), PATHS)
    report(
        result_of(
            Scenario.SIGTERM_BOTH_AWAY,
            range(FEW_EVENTS),
            audited,
            in_flight=len(arrived - recorded),
            recovery_s=ended_s,
            limit_s=limit_s,
        )
    )


_LEFT = text(
    "select count(claim) as held, count(*) filter (where due_at > now()) as later, count(*) as free"
    " from deliveries where state = 'pending'"
)
