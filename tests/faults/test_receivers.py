"""Receivers that hang, drip and reset among healthy ones: they cost themselves alone, and all of it is on record."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import text

from coro_events.runtime.clock import SystemClock
from tests.faults.audit import recovered_s, until_all_recorded
from tests.faults.judging import judge, result_of
from tests.faults.reporting import Result
from tests.faults.settings import MAX_IN_FLIGHT
from tests.support.load import CHILDREN, TRIGGER, make_tree, produce
from tests.support.makers import insert_webhook, make_vault
from tests.support.stand import Stand

EVENTS = 1_500
HEALTHY = ["/ok/a", "/ok/b", "/ok/c"]
SICK = {"/hang": {"timed_out"}, "/drip": {"timed_out"}, "/reset": {"connection_broken"}}
# What the healthy ones may take for all of it, while others hang; without those it is about a second.
HEALTHY_S = 10.0
LIMIT_S = 90


async def test_the_healthy_get_everything_when_others_hang_and_drip_and_reset(
    stand: Stand, report: Callable[[Result], None]
) -> None:
    stand.settings |= {
        "CORO_DISPATCHER_DEADLINE_S": "1",
        "CORO_DISPATCHER_RETRY_INITIAL_S": "0.5",
        "CORO_DISPATCHER_RETRY_FACTOR": "1",
    }
    await make_tree(stand, HEALTHY, strangers=0)
    await _add_sick(stand)
    await stand.start_dispatcher().ready()
    began_at = SystemClock().now()
    await produce(stand, EVENTS)
    # The sick are given up after four attempts; what still waits for them is then held for a replay.
    await until_all_recorded(stand, range(EVENTS), limit_s=LIMIT_S)
    audited = await judge(stand, range(EVENTS), HEALTHY)
    of_sick = await judge(stand, range(0, EVENTS, CHILDREN), [*SICK])
    healthy = {row.hook_id for row in audited.rows if row.url in map(stand.url, HEALTHY)}
    assert {row.state for row in audited.rows if row.hook_id in healthy} == {"delivered"}
    sick = [row for row in audited.rows if row.hook_id not in healthy]
    assert {row.state for row in sick} == {"failed", "held"}
    assert all(row.webhook_state == "disabled" and row.disabled_reason for row in sick)
    assert await _outcomes(stand) == {stand.url(path): outcomes for path, outcomes in SICK.items()}
    report(
        result_of(
            "receivers that hang, drip and reset",
            range(EVENTS),
            replace(audited, owed=audited.owed + of_sick.owed),
            in_flight=MAX_IN_FLIGHT,
            recovery_s=recovered_s(audited, healthy, began_at),
            limit_s=HEALTHY_S,
        )
    )


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
