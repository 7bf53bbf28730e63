"""One of two dispatchers has its clock an hour ahead; the database's clock decides what is due."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import text

from coro_events.runtime.clock import SystemClock
from tests.faults.audit import recovered_s
from tests.faults.judging import judge, result_of
from tests.faults.kafka import under_load
from tests.faults.reporting import Result
from tests.faults.scenarios import Scenario
from tests.faults.settings import LEASE_S
from tests.support.load import make_tree
from tests.support.stand import Stand
from tests.support.waiting import wait_until

AHEAD_S = 3600
RATE_PER_S = 200
EVENTS = 1_500
HEALTHY = ["/ok/a", "/ok/b"]
SICK = "/status/500"
RETRY_S = 300.0
LIMIT_S = 60


async def test_nothing_is_lost_or_early_when_one_clock_is_an_hour_ahead(
    stand: Stand, report: Callable[[Result], None]
) -> None:
    stand.settings["CORO_DISPATCHER_RETRY_INITIAL_S"] = f"{RETRY_S:g}"
    paths = [*HEALTHY, SICK]
    await make_tree(stand, paths, strangers=0)
    right = stand.start_dispatcher()
    wrong = stand.start_dispatcher(f"--ahead-s={AHEAD_S}", module="tests.support.odd_dispatcher")
    await right.ready()
    await wrong.ready()
    async with under_load(stand, rate_per_s=RATE_PER_S) as load:
        await load.grown(EVENTS)
    ended_at = SystemClock().now()
    await _until_all_attempted(stand, len(load.accepted) * len(paths))
    audited = await judge(stand, load.accepted, paths)
    for dispatcher in (right, wrong):
        assert await dispatcher.metric('coro_attempts_total{outcome="receiver_failed"}') > 0, "one of them did nothing"
    sick = [row for row in audited.rows if row.url == stand.url(SICK)]
    assert {(row.state, row.attempts) for row in sick} == {("pending", 1)}
    # The retries of both are due by the same clock: ten per cent around the wait, plus what this test took.
    least, most = timedelta(seconds=0.9 * RETRY_S - LIMIT_S), timedelta(seconds=1.1 * RETRY_S)
    now = SystemClock().now()
    assert all(least <= row.due_at - now <= most for row in sick)
    healthy = {row.hook_id for row in audited.rows if row.url != stand.url(SICK)}
    report(
        result_of(
            Scenario.CLOCK_AHEAD,
            load.accepted,
            audited,
            in_flight=0,
            recovery_s=recovered_s(audited, healthy, ended_at),
            limit_s=LEASE_S + 1,
        )
    )


async def _until_all_attempted(stand: Stand, deliveries: int) -> None:
    async def done() -> bool:
        stand.check()
        async with stand.database.read() as connection:
            return bool(await connection.scalar(text("select count(*) from attempts")) >= deliveries)

    await wait_until(done, what=f"{deliveries} attempts to be recorded", limit_s=LIMIT_S, every_s=0.1)
