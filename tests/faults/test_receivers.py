"""Receivers that hang, drip and reset among healthy ones: they cost themselves alone, and all of it is on record."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import text

from coro_events.runtime.clock import SystemClock
from tests.faults.audit import recovered_s, until_all_recorded, until_arrived
from tests.faults.judging import judge, result_of
from tests.faults.reporting import Result
from tests.faults.scenarios import Scenario
from tests.faults.settings import MAX_IN_FLIGHT
from tests.support.load import CHILDREN, TRIGGER, make_tree, produce
from tests.support.makers import insert_webhook, make_vault
from tests.support.stand import Stand
from tests.support.waiting import wait_until

# Each sick one is sent so many at once: together more than there are permits.
SICK_EVENTS = 20
EVENTS = 2_000
HEALTHY = ["/ok/a", "/ok/b", "/ok/c"]
SICK = {
    **{f"/hang/{name}": {"timed_out"} for name in "abcd"},
    **{f"/drip/1000/{name}": {"timed_out"} for name in "ab"},
    "/reset": {"connection_broken"},
}
# So long does an attempt at one that hangs keep its permit, and what the healthy may take for all of theirs: they are
# through long before the first permit comes back, or they have waited for it.
HANGING_S = 10
HEALTHY_S = 6.0
LIMIT_S = 120


async def test_the_healthy_get_everything_when_others_hang_and_drip_and_reset(
    stand: Stand, report: Callable[[Result], None]
) -> None:
    assert SICK_EVENTS * len(SICK) > 2 * MAX_IN_FLIGHT
    stand.settings["CORO_DISPATCHER_RETRY_FACTOR"] = "1"
    await make_tree(stand, HEALTHY, strangers=0)
    await _add_sick(stand)
    first = stand.start_dispatcher(
        CORO_DISPATCHER_DEADLINE_S=f"{HANGING_S}",
        CORO_DISPATCHER_LEASE_S=f"{3 * HANGING_S}",
        CORO_DISPATCHER_DRAIN_S=f"{2 * HANGING_S}",
        # Nobody is given up while events still come: who is disabled gets none.
        CORO_DISPATCHER_RETRY_INITIAL_S=f"{HANGING_S / 2:g}",
    )
    await first.ready()
    began_at = SystemClock().now()
    # All of the first child, which the sick listen to.
    await produce(stand, SICK_EVENTS, workspaces=1)
    await until_arrived(stand, MAX_IN_FLIGHT)
    await produce(stand, EVENTS, first=SICK_EVENTS)
    accepted = range(SICK_EVENTS + EVENTS)
    await _until_the_healthy_have_all(stand, len(accepted))
    # The next one has less patience: the sick are given up after four attempts, and what waits for them is then held.
    assert await first.stop() == 0
    await stand.start_dispatcher(CORO_DISPATCHER_DEADLINE_S="1", CORO_DISPATCHER_RETRY_INITIAL_S="0.5").ready()
    await until_all_recorded(stand, accepted, limit_s=LIMIT_S)
    audited = await judge(stand, accepted, HEALTHY)
    of_first_child = [number for number in accepted if number < SICK_EVENTS or number % CHILDREN == 0]
    of_sick = await judge(stand, of_first_child, [*SICK])
    healthy = {row.hook_id for row in audited.rows if row.url in map(stand.url, HEALTHY)}
    assert {row.state for row in audited.rows if row.hook_id in healthy} == {"delivered"}
    sick = [row for row in audited.rows if row.hook_id not in healthy]
    assert {row.state for row in sick} == {"failed", "held"}
    assert all(row.webhook_state == "disabled" and row.disabled_reason for row in sick)
    assert await _outcomes(stand) == {stand.url(path): outcomes for path, outcomes in SICK.items()}
    report(
        result_of(
            Scenario.SICK_RECEIVERS,
            accepted,
            replace(audited, owed=audited.owed + of_sick.owed),
            in_flight=0,
            recovery_s=recovered_s(audited, healthy, began_at),
            limit_s=HEALTHY_S,
        )
    )


async def _until_the_healthy_have_all(stand: Stand, events: int) -> None:
    paths = set(HEALTHY)

    async def done() -> bool:
        stand.check()
        arrivals = await stand.arrivals()
        return len({(one.path, one.number) for one in arrivals if one.path in paths}) == events * len(paths)

    await wait_until(done, what="the healthy to have everything", limit_s=LIMIT_S, every_s=0.2)


async def _add_sick(stand: Stand) -> None:
    """Add webhooks of the first child alone, which has one event of a hundred: each is tried to its end."""
    vault = make_vault()
    for path in SICK:
        await insert_webhook(stand.database, vault, workspace_id="ws0", url=stand.url(path), triggers=[TRIGGER.value])


async def _outcomes(stand: Stand) -> dict[str, set[str]]:
    """Return what attempts came to, for each URL that ever failed."""
    async with stand.database.read() as connection:
        rows = await connection.rows(
            text(
                "select w.url, array_agg(distinct a.outcome) as outcomes from attempts a"
                " join webhooks w on w.id = a.webhook_id where a.error is not null group by w.url"
            )
        )
    return {row.url: set(row.outcomes) for row in rows}
