"""Named tasks live and die together, and stopping has a deadline."""

import asyncio
import os
import signal
from contextlib import suppress

import pytest
import structlog

from coro_events.runtime.supervisor import CANCEL_WITHIN_S, Supervisor
from tests.support.waiting import let_others_run


async def until_stopped(supervisor: Supervisor) -> None:
    await supervisor.stopping.wait()


async def forever() -> None:
    await asyncio.Future()


async def fail() -> None:
    raise ValueError("gone")


async def end() -> None:
    pass


def deaths(lines: list[structlog.typing.EventDict]) -> list[str]:
    return [line["task"] for line in lines if line["event"] == "task.died"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_process_ends_well_when_a_signal_comes(number: signal.Signals) -> None:
    supervisor = Supervisor(drain_s=5)
    supervisor.on_signals()
    supervisor.start("a", until_stopped(supervisor))
    running = asyncio.ensure_future(supervisor.run())
    await let_others_run()
    os.kill(os.getpid(), number)
    assert await running == 0
    for handled in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(handled)


async def test_process_stops_with_an_error_when_a_task_fails() -> None:
    supervisor = Supervisor(drain_s=5)
    supervisor.start("healthy", until_stopped(supervisor))
    supervisor.start("dying", fail())
    with structlog.testing.capture_logs() as lines:
        assert await supervisor.run() == 1
    assert deaths(lines) == ["dying"]
    assert "gone" in next(line["error"] for line in lines if line["event"] == "task.died")


async def test_process_stops_with_an_error_when_a_task_just_ends() -> None:
    supervisor = Supervisor(drain_s=5)
    supervisor.start("healthy", until_stopped(supervisor))
    supervisor.start("over", end())
    with structlog.testing.capture_logs() as lines:
        assert await supervisor.run() == 1
    assert deaths(lines) == ["over"]


async def test_late_task_is_left_when_it_resists_its_cancelling() -> None:
    supervisor = Supervisor(drain_s=0.05)
    released = asyncio.Event()

    async def resist() -> None:
        while not released.is_set():
            with suppress(asyncio.CancelledError):
                await released.wait()

    supervisor.start("resisting", resist())
    supervisor.stop()
    try:
        async with asyncio.timeout(CANCEL_WITHIN_S + 20):
            assert await supervisor.run() == 0
    finally:
        released.set()


async def test_late_task_is_cancelled_at_the_drain_deadline() -> None:
    supervisor = Supervisor(drain_s=0.05)
    cancelled = asyncio.Event()

    async def stubborn() -> None:
        try:
            await forever()
        finally:
            cancelled.set()

    supervisor.start("stubborn", stubborn())
    supervisor.start("quick", until_stopped(supervisor))
    supervisor.stop()
    with structlog.testing.capture_logs() as lines:
        assert await supervisor.run() == 0
    assert cancelled.is_set()
    assert [line["task"] for line in lines if line["event"] == "process.drain_overrun"] == ["stubborn"]


async def test_task_may_finish_its_work_within_the_drain_deadline() -> None:
    supervisor = Supervisor(drain_s=5)
    done: list[str] = []

    async def finish() -> None:
        await supervisor.stopping.wait()
        await let_others_run()
        done.append("task")

    async def drain() -> None:
        assert supervisor.stopping.is_set()
        done.append("drain")

    supervisor.start("finishing", finish())
    supervisor.stop()
    assert await supervisor.run(drain) == 0
    assert sorted(done) == ["drain", "task"]


async def test_drain_runs_when_a_task_died() -> None:
    supervisor = Supervisor(drain_s=5)
    drained = asyncio.Event()

    async def drain() -> None:
        drained.set()

    supervisor.start("dying", fail())
    with structlog.testing.capture_logs():
        assert await supervisor.run(drain) == 1
    assert drained.is_set()


async def test_failure_is_told_and_counts_when_it_happens_while_draining() -> None:
    supervisor = Supervisor(drain_s=5)

    async def fail_late() -> None:
        await supervisor.stopping.wait()
        raise ValueError("could not finish")

    supervisor.start("failing late", fail_late())
    supervisor.stop()
    with structlog.testing.capture_logs() as lines:
        assert await supervisor.run() == 1
    assert deaths(lines) == ["failing late"]


async def test_failure_is_told_and_counts_when_it_coincides_with_a_signal() -> None:
    supervisor = Supervisor(drain_s=5)
    supervisor.start("dying", fail())
    await let_others_run()
    supervisor.stop()
    with structlog.testing.capture_logs() as lines:
        assert await supervisor.run() == 1
    assert deaths(lines) == ["dying"]


async def test_draining_names_what_it_waits_for() -> None:
    supervisor = Supervisor(drain_s=5)
    drained = asyncio.Event()

    async def wait_for_drain() -> None:
        await drained.wait()

    async def drain() -> None:
        drained.set()

    supervisor.start("a", wait_for_drain())
    supervisor.stop()
    with structlog.testing.capture_logs() as lines:
        assert await supervisor.run(drain) == 0
    assert next(line["tasks"] for line in lines if line["event"] == "process.draining") == ["a", "drain"]
