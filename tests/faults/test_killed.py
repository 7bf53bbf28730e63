"""A dispatcher that is killed at full load: nothing lost, nothing doubled but what was in flight, soon taken over."""

from collections.abc import Callable, Iterable

from coro_events.runtime.clock import SystemClock
from tests.faults.audit import Held, held_now, recovered_s, until_all_recorded, until_arrived
from tests.faults.judging import judge, result_of
from tests.faults.reporting import Result
from tests.faults.settings import LEASE_S, TAKEOVER_S
from tests.support.load import make_tree, produce
from tests.support.stand import Stand

# A backlog that the survivor works off within a lease: what is due earlier goes first, and would hide the take-over.
EVENTS = 1_500
LATE_EVENTS = 300
# For the one that is alone, and killed in their middle.
ALL_EVENTS = 5_000
PATHS = [f"/slow/20/{name}" for name in "abcd"]
LIMIT_S = 60


async def test_the_other_goes_on_when_one_of_two_is_killed(stand: Stand, report: Callable[[Result], None]) -> None:
    await make_tree(stand, PATHS, strangers=0)
    victim, survivor = stand.start_dispatcher(), stand.start_dispatcher()
    await victim.ready()
    await survivor.ready()
    await produce(stand, EVENTS)
    await until_arrived(stand, EVENTS)
    killed_at = SystemClock().now()
    victim.kill()
    held = await held_now(stand)
    # Half of these lie in partitions that Kafka still counts as the victim's.
    await produce(stand, LATE_EVENTS, first=EVENTS)
    accepted = range(EVENTS + LATE_EVENTS)
    await until_all_recorded(stand, accepted, limit_s=LIMIT_S)
    audited = await judge(stand, accepted, PATHS)
    _assert_only_what_was_in_flight_came_twice(audited.duplicated.keys(), held)
    for name, hook_ids, limit_s in (
        ("kill -9, one of two: what it held", held.all, LEASE_S + 1),
        ("kill -9, one of two: its partitions", {row.hook_id for row in audited.rows}, TAKEOVER_S + 1),
    ):
        report(
            result_of(
                name,
                accepted,
                audited,
                in_flight=len(held.in_flight),
                recovery_s=recovered_s(audited, hook_ids, killed_at),
                limit_s=limit_s,
            )
        )


async def test_the_same_goes_on_when_the_only_one_is_killed_and_started(
    stand: Stand, report: Callable[[Result], None]
) -> None:
    await make_tree(stand, PATHS[:2], strangers=0)
    victim = stand.start_dispatcher()
    await victim.ready()
    await produce(stand, ALL_EVENTS)
    await until_arrived(stand, ALL_EVENTS // 2)
    victim.kill()
    held = await held_now(stand)
    await stand.start_dispatcher().ready()
    restarted_at = SystemClock().now()
    await until_all_recorded(stand, range(ALL_EVENTS), limit_s=LIMIT_S)
    audited = await judge(stand, range(ALL_EVENTS), PATHS[:2])
    _assert_only_what_was_in_flight_came_twice(audited.duplicated.keys(), held)
    report(
        result_of(
            "kill -9 and start of the only one",
            range(ALL_EVENTS),
            audited,
            in_flight=len(held.in_flight),
            recovery_s=recovered_s(audited, held.all, restarted_at),
            limit_s=LEASE_S + 1,
        )
    )


def _assert_only_what_was_in_flight_came_twice(duplicated: Iterable[str], held: Held) -> None:
    assert set(duplicated) <= {str(hook_id) for hook_id in held.in_flight}
