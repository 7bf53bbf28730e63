"""A dispatcher that stands still for longer than its lease, and then goes on as if nothing had been."""

import signal
from collections.abc import Callable

from coro_events.runtime.clock import SystemClock
from tests.faults.audit import Audit, held_now, recovered_s, until_all_recorded, until_arrived
from tests.faults.judging import judge, result_of
from tests.faults.reporting import Result
from tests.faults.settings import LEASE_S, MAX_IN_FLIGHT
from tests.support.load import make_tree, produce
from tests.support.stand import Stand
from tests.support.waiting import wait_until

EVENTS = 1_500
# Slow enough that many attempts are under way at any moment.
PATHS = [f"/slow/50/{name}" for name in "abcd"]
LIMIT_S = 60


async def test_what_the_successor_recorded_stays_when_a_paused_dispatcher_goes_on(
    stand: Stand, report: Callable[[Result], None]
) -> None:
    await make_tree(stand, PATHS, strangers=0)
    paused, successor = stand.start_dispatcher(), stand.start_dispatcher()
    await paused.ready()
    await successor.ready()
    await produce(stand, EVENTS)
    await until_arrived(stand, EVENTS)
    paused_at = SystemClock().now()
    paused.signal(signal.SIGSTOP)
    held = await held_now(stand)
    # The successor takes over deliveries after the lease and partitions after the session.
    await until_all_recorded(stand, range(EVENTS), limit_s=LIMIT_S)
    before = await judge(stand, range(EVENTS), PATHS)
    assert await successor.metric("coro_claims_lost_total") == 0
    paused.signal(signal.SIGCONT)

    async def gave_up() -> bool:
        stand.check()
        # All that it had in hand is over: sent, found too old, or refused by the record.
        idle = not await paused.metric("coro_in_flight") and not await paused.metric("coro_waiting")
        return idle and await paused.metric("coro_claims_lost_total") > 0

    await wait_until(gave_up, what="the paused dispatcher to notice that it lost its claims", limit_s=LIMIT_S)
    # It is in the group again and goes on with new work.
    await produce(stand, EVENTS // 10, first=EVENTS)
    accepted = range(EVENTS + EVENTS // 10)
    await until_all_recorded(stand, accepted, limit_s=LIMIT_S)
    audited = await judge(stand, accepted, PATHS)
    assert _records(before) <= _records(audited), "a record of the successor was overwritten"
    assert {(row.state, row.attempts, row.numbers) for row in audited.rows} == {("delivered", 1, 1)}
    lost = await paused.metric("coro_claims_lost_total")
    assert lost <= len(held.in_flight) + MAX_IN_FLIGHT
    report(
        result_of(
            "SIGSTOP for longer than the lease",
            accepted,
            audited,
            in_flight=len(held.in_flight),
            recovery_s=recovered_s(before, held.all, paused_at),
            limit_s=LEASE_S + 1,
        )
    )


def _records(audited: Audit) -> set[tuple[object, ...]]:
    return {(row.hook_id, row.state, row.attempts, row.finished_at, row.claim) for row in audited.rows}
