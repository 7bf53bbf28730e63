"""What the process tells of itself: figures on /metrics, and /healthz when a loop or a server stands still."""

import signal
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import text

from services.dispatcher.app import CLOSE_WITHIN_S, STUCK_AFTER_S
from tests.integration.dispatcher.room import Room, count_updated
from tests.integration.dispatcher.stand import Stand, standing
from tests.support.clock import FakeClock
from tests.support.dispatching import at_most, decoded_of
from tests.support.kafka import Topics
from tests.support.makers import make_vault
from tests.support.odd_dispatcher import LEAP_S
from tests.support.processes import Process, running
from tests.support.waiting import wait_until
from tests.support.wire import Wire

ODD = "tests.support.odd_dispatcher"
# For a machine that is busy with other things.
SLACK_S = 8.0


@pytest.fixture
async def stand(database_url: str, kafka_bootstrap: str, topics: Topics) -> AsyncIterator[Stand]:
    async with standing(database_url, kafka_bootstrap, topics) as stand:
        yield stand


@pytest.fixture
async def wire(stand: Stand) -> AsyncIterator[Wire]:
    """Return the wire between a dispatcher and its database."""
    parts = urlsplit(stand.database_url)
    assert parts.hostname is not None
    assert parts.port is not None
    wire = Wire(parts.hostname, parts.port)
    await wire.up()
    yield wire
    wire.revive()
    await wire.cut()


async def ask(settings: dict[str, str], path: str) -> httpx.Response:
    """Ask the operators' port of a dispatcher."""
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        return await client.get(f"http://127.0.0.1:{settings['CORO_OPS_PORT']}{path}")


async def figures(settings: dict[str, str]) -> dict[str, float]:
    """Return the samples of /metrics in the order of the page; labels are part of the name."""
    lines = (await ask(settings, "/metrics")).text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


async def until_assigned(process: Process) -> None:
    await wait_until(lambda: process.said("intake.assigned"), what="partitions", limit_s=30)


async def test_figures_tell_of_age_backlog_lag_and_what_is_in_flight(stand: Stand) -> None:
    hook = await stand.webhook("/hang", "seen")
    room = Room(stand.database, make_vault(), FakeClock())
    # Due for a minute when the process starts, which has room for few of them.
    await room.planner.plan(decoded_of(*(count_updated("seen") for _ in range(9))), at_most(0))
    await room.change("update deliveries set due_at = now() - interval '1 minute' where webhook_id = :id", id=hook.id)
    settings = stand.settings(
        dispatcher_max_in_flight_per_webhook="1",
        dispatcher_max_waiting="1",
        dispatcher_batch_records="1",
        dispatcher_deadline_s="20",
    )
    with running("services.dispatcher", environ=settings) as process:
        await until_assigned(process)
        await stand.receiver.until(1, prefix="/hang")

        async def shown() -> bool:
            found = await figures(settings)
            return found["coro_in_flight"] == 1 and 5 <= found["coro_due"] <= 9

        await wait_until(shown, what="one in flight and the others due")
        found = await figures(settings)
        assert 60 <= found["coro_due_oldest_seconds"] < 120
        assert next(iter(found)).startswith("coro_delivery_age_seconds"), "what matters most leads the page"
        assert found["coro_intake_lag_records"] == 0
        async with stand.database.write() as connection:
            # Nobody can plan meanwhile.
            await connection.execute(text("lock table consumed in access exclusive mode"))
            await stand.emit(*(count_updated("seen") for _ in range(5)))

            async def behind() -> bool:
                return (await figures(settings))["coro_intake_lag_records"] in {3, 4}

            await wait_until(behind, what="all but what is at hand to count as lag", limit_s=10)


async def problems_of(settings: dict[str, str]) -> dict[str, Any]:
    """Return what /healthz complains of; the status tells the same."""
    answer = await ask(settings, "/healthz")
    problems: dict[str, Any] = answer.json()["problems"]
    assert answer.status_code == (503 if problems else 200)
    return problems


async def test_health_fails_and_names_the_loop_when_outcomes_wait_and_nobody_records_them(stand: Stand) -> None:
    await stand.webhook("/ok/stuck", "stuck")
    settings = stand.settings()
    with running(ODD, "--record-nothing", environ=settings) as process:
        await until_assigned(process)
        assert await problems_of(settings) == {}
        await stand.emit(count_updated("stuck"))
        await stand.receiver.until(1, prefix="/ok/stuck")

        async def told() -> dict[str, Any]:
            process.signal(signal.SIGUSR1)
            return await problems_of(settings)

        problems = await wait_until(told, what="a problem", every_s=0.5)
        # The backlog is measured so seldom that it may seem late in a time that leaps.
        assert {"record"} <= set(problems) <= {"record", "measure"}, problems
        assert "has not gone round for" in problems["record"]


@pytest.mark.parametrize("away", ["cut", "dead"])
async def test_health_holds_when_the_database_refuses_or_hangs(stand: Stand, wire: Wire, away: str) -> None:
    await stand.webhook("/ok/away", "away")
    settings = stand.settings(database_url=wire.url(stand.database_url))
    with running(ODD, environ=settings) as process:
        await until_assigned(process)
        if away == "cut":
            await wire.cut()
        else:
            wire.die()
        await stand.emit(count_updated("away"))
        for _ in range(int(3 * STUCK_AFTER_S / LEAP_S)):
            process.signal(signal.SIGUSR1)
            assert await problems_of(settings) == {}
        if away == "cut":
            await wire.up()
        else:
            wire.revive()
        await stand.receiver.until(1, prefix="/ok/away", limit_s=30)
        assert await problems_of(settings) == {}


async def test_end_has_a_limit_when_the_database_hangs(stand: Stand, wire: Wire) -> None:
    await stand.webhook("/slow/500", "ending")
    drain_s = 2
    settings = stand.settings(
        database_url=wire.url(stand.database_url), dispatcher_deadline_s="1", dispatcher_drain_s=f"{drain_s}"
    )
    with running("services.dispatcher", environ=settings) as process:
        await until_assigned(process)
        await stand.emit(count_updated("ending"))
        await stand.receiver.until(1, prefix="/slow/500")
        wire.die()
        process.signal(signal.SIGTERM)
        assert await process.ended(limit_s=drain_s + 1 + CLOSE_WITHIN_S + SLACK_S) == 0
        assert process.said("process.drain_overrun", task="record"), "the outcome could not be recorded"
