"""Several schedulers: one at work, the others waiting; whatever ends the first, another goes on."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text

from coro_events.migrate import unmigrate
from coro_events.runtime.clock import SystemClock
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.scheduler.leading.sql import LEADER_LOCK
from tests.integration.scheduler.world import Scheduler
from tests.support.makers import insert_webhook, insert_workspace
from tests.support.processes import Process
from tests.support.sunset import insert_admin, mails_of, release_version_2, rows
from tests.support.waiting import wait_until

# A heartbeat and a tick of both, the start of a process, and a slow machine.
TAKEOVER_S = 15.0
WEBHOOKS = 60


@pytest.fixture
def first(database_url: str) -> Scheduler:
    return Scheduler(database_url)


@pytest.fixture
def second(database_url: str) -> Scheduler:
    return Scheduler(database_url)


@asynccontextmanager
async def first_leads(first: Scheduler, second: Scheduler) -> AsyncIterator[tuple[Process, Process]]:
    """Run both, the first of them leading."""
    with first.start() as leader:
        await wait_until(first.leads, what="the first scheduler to lead")
        with second.start() as waiting:
            await wait_until(lambda: second.get("/healthz"), what="the second scheduler to be up")
            assert not await second.leads()
            yield leader, waiting


async def works(scheduler: Scheduler) -> bool:
    name = 'coro_scheduler_chore_last_success_timestamp_seconds{chore="partitions"}'
    return await scheduler.metric(name) is not None


async def test_second_takes_over_when_the_leader_is_killed(first: Scheduler, second: Scheduler) -> None:
    async with first_leads(first, second) as (leader, waiting):
        assert await works(first) or await wait_until(lambda: works(first), what="a first round")
        assert not await works(second)
        leader.kill()
        await wait_until(second.leads, what="the second to take over", limit_s=TAKEOVER_S)
        await wait_until(lambda: works(second), what="the second to do its round")
        assert waiting.exit_code is None


async def test_second_finishes_a_sunset_when_the_leader_is_killed_in_the_middle(
    database_url: str, database: Database, vault: Vault
) -> None:
    await insert_workspace(database, "acme")
    await insert_admin(database, "acme", "admin@acme.example.com")
    for _ in range(WEBHOOKS):
        await insert_webhook(database, vault)
    first, second = (Scheduler(database_url, CORO_SCHEDULER_BATCH_WEBHOOKS="1") for _ in range(2))

    async def taken() -> int:
        ((count,),) = await rows(database, "select count(*) from notices")
        return int(count)

    async def is_told() -> bool:
        return await rows(database, "select count(*) from mail_recipients") == [(1,)]

    async with first_leads(first, second) as (leader, _):
        await release_version_2(database, SystemClock().now() - timedelta(hours=1))
        await wait_until(taken, what="the leader to begin", every_s=0.001)
        leader.kill()
        await wait_until(is_told, what="the second to finish", limit_s=2 * TAKEOVER_S)
    assert await taken() == WEBHOOKS
    assert await rows(database, "select count(*) from activity_log") == [(WEBHOOKS,)]
    assert [len(names) for _, _, names in await mails_of(database)] == [WEBHOOKS]


async def test_second_takes_over_when_the_leader_is_stopped(first: Scheduler, second: Scheduler) -> None:
    async with first_leads(first, second) as (leader, _):
        leader.signal(signal.SIGTERM)
        assert await leader.ended() == 0
        await wait_until(second.leads, what="the second to take over", limit_s=TAKEOVER_S)


async def test_second_takes_over_when_the_leader_hangs_and_the_leader_steps_back_when_it_wakes(
    first: Scheduler, second: Scheduler
) -> None:
    async with first_leads(first, second) as (leader, _):
        leader.signal(signal.SIGSTOP)
        await wait_until(second.leads, what="the second to take over", limit_s=TAKEOVER_S)
        leader.signal(signal.SIGCONT)
        await wait_until(lambda: leader.said("leadership.left"), what="the first to step back")
        assert not await first.leads()
        assert await second.leads()


async def test_exactly_one_goes_on_when_the_leaders_connection_drops(
    first: Scheduler, second: Scheduler, database: Database
) -> None:
    async with first_leads(first, second) as (leader, waiting):
        cut = text("select pg_terminate_backend(pid) from pg_locks where objid = :lock and granted")
        async with database.autocommit() as connection:
            await connection.execute(cut, {"lock": LEADER_LOCK % 2**32})
        await wait_until(lambda: leader.said("leadership.left"), what="the first to notice", limit_s=TAKEOVER_S)

        async def one_leads() -> bool:
            return [await first.leads(), await second.leads()].count(True) == 1

        await wait_until(one_leads, what="one of the two to lead", limit_s=TAKEOVER_S)
        assert (leader.exit_code, waiting.exit_code) == (None, None)


async def test_process_turns_unhealthy_when_a_chore_keeps_failing_and_well_again_afterwards(
    first: Scheduler, database: Database
) -> None:
    async def is_healthy() -> bool:
        answer = await first.get("/healthz")
        return answer is not None and answer.status_code == 200

    async def is_failing() -> bool:
        answer = await first.get("/healthz")
        return answer is not None and answer.status_code == 503 and "partitions" in answer.json()["problems"]

    async with database.write() as connection:
        newest = await connection.scalar(
            text("select max(inhrelid::regclass::text) from pg_inherits where inhparent = 'events'::regclass")
        )
        await connection.execute(text(f"drop table {newest}"))
    async with database.write() as reader:
        await reader.execute(text("select count(*) from events"))
        with first.start() as process:
            await wait_until(is_failing, what="the process to turn unhealthy")
            failures = await first.metric('coro_scheduler_chore_failures_total{chore="partitions"}')
            assert failures is not None
            assert failures >= 3
            # Lets go of the table.
            await reader.execute(text("rollback"))
            await wait_until(is_healthy, what="the process to be well again")
            assert process.said("chore.finished", chore="partitions", made=[newest])


async def test_process_is_ready_when_the_database_answers_with_the_schema_of_the_code(first: Scheduler) -> None:
    with first.start():
        answer = await wait_until(lambda: first.get("/readyz"), what="the process to be up")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok", "problems": {}})


async def test_start_is_refused_with_a_sentence_when_the_schema_is_behind(first: Scheduler, database_url: str) -> None:
    await asyncio.to_thread(unmigrate, database_url)
    with first.start() as process:
        assert await process.ended() == 1
        last = process.output().splitlines()[-1]
        assert last.startswith("The database schema is behind the code; run the migrations first")
