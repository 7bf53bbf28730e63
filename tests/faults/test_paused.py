"""A dispatcher that stands still for longer than its lease, and then goes on as if nothing had been."""

import signal
from collections.abc import Callable
from dataclasses import replace

from coro_events.runtime.clock import SystemClock
from tests.faults.audit import (
    Audit,
    left_by_the_gone,
    pending_now,
    picked_up_s,
    until_all_recorded,
    until_arrived,
)
from tests.faults.judging import judge, result_of
from tests.faults.reporting import Result
from tests.faults.scenarios import Scenario
from tests.faults.settings import LEASE_S, MAX_IN_FLIGHT, MOST_UNRECORDED
from tests.support.load import CHILDREN, TRIGGER, make_tree, produce
from tests.support.makers import insert_webhook, make_vault
from tests.support.stand import Stand
from tests.support.waiting import wait_until

# Few enough that the successor is done with its own when the lease is over: what is due earlier goes first.
EVENTS = 400
LATE_EVENTS = 200
# Slow enough that many attempts are under way at any moment.
PATHS = [f"/slow/50/{name}" for name in "abcd"]
HANGING = "/hang"
LIMIT_S = 60


async def test_what_the_successor_recorded_stays_when_a_paused_dispatcher_goes_on(
    stand: Stand, report: Callable[[Result], None]
) -> None:
    # Of the second beyond the lease, most is for the sending and little for noticing that the lease is over.
    stand.settings["CORO_DISPATCHER_CLAIM_INTERVAL_S"] = "0.1"
    await make_tree(stand, PATHS, strangers=0)
    # Its deliveries stay pending after the successor's attempt: the claim alone tells whose record counts.
    await insert_webhook(
        stand.database, make_vault(), workspace_id="ws0", url=stand.url(HANGING), triggers=[TRIGGER.value]
    )
    paused, successor = stand.start_dispatcher(), stand.start_dispatcher()
    await paused.ready()
    await successor.ready()
    await produce(stand, EVENTS)
    await until_arrived(stand, EVENTS)
    paused_at = SystemClock().now()
    paused.signal(signal.SIGSTOP)
    pending = await pending_now(stand)
    # The successor takes over deliveries after the lease and partitions after the session.
    await produce(stand, LATE_EVENTS, first=EVENTS)
    await until_all_recorded(stand, range(EVENTS + LATE_EVENTS), limit_s=LIMIT_S, tries=1)
    before = await judge(stand, range(EVENTS + LATE_EVENTS), PATHS)
    left = left_by_the_gone(before, pending)
    # Attempts at slow receivers, as the one that hangs, have permits of their own.
    assert 0 < len(left.in_flight) <= MOST_UNRECORDED + MAX_IN_FLIGHT // 2, "it was not at work, or at too much"
    assert await successor.metric("coro_claims_lost_total") == 0
    paused.signal(signal.SIGCONT)

    async def gave_up() -> bool:
        stand.check()
        # All that it had in hand is over: sent, found too old, or refused by the record.
        idle = not await paused.metric("coro_in_flight") and not await paused.metric("coro_waiting")
        return idle and await paused.metric("coro_claims_lost_total") > 0

    await wait_until(gave_up, what="the paused dispatcher to notice that it lost its claims", limit_s=LIMIT_S)
    # It is in the group again and goes on with new work.
    await produce(stand, LATE_EVENTS, first=EVENTS + LATE_EVENTS)
    accepted = range(EVENTS + 2 * LATE_EVENTS)
    await until_all_recorded(stand, accepted, limit_s=LIMIT_S, tries=1)
    audited = await judge(stand, accepted, PATHS)
    assert _records(before) <= _records(audited), "a record of the successor was overwritten"
    hung = {(row.state, row.attempts, row.numbers) for row in audited.rows if row.url == stand.url(HANGING)}
    others = {(row.state, row.attempts, row.numbers) for row in audited.rows if row.url != stand.url(HANGING)}
    assert (hung, others) == ({("pending", 1, 1)}, {("delivered", 1, 1)})
    of_hanging = await judge(stand, [number for number in accepted if number % CHILDREN == 0], [HANGING])
    assert audited.duplicated.keys() <= left.in_flight, "what was not in flight came twice"
    # What it had sent, and what it was about to send and nobody saw.
    assert await paused.metric("coro_claims_lost_total") <= len(left.in_flight) + MAX_IN_FLIGHT
    report(
        result_of(
            Scenario.PAUSED,
            accepted,
            replace(audited, owed=audited.owed + of_hanging.owed),
            in_flight=len(left.in_flight),
            recovery_s=picked_up_s(before, left.waiting, paused_at),
            limit_s=LEASE_S + 1,
        )
    )


def _records(audited: Audit) -> set[tuple[object, ...]]:
    return {(row.hook_id, row.state, row.attempts, row.finished_at, row.claim) for row in audited.rows}
