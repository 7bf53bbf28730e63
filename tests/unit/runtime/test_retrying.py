"""Retries of our own infrastructure: with growing waits, for named errors only, until we stop."""

import asyncio

import pytest
import structlog

from coro_events.errors import StoreUnavailableError
from coro_events.runtime.retrying import until_it_works
from tests.support.clock import FakeClock


class Work:
    """Fails so many times, then works."""

    def __init__(self, failures: int, error: Exception | None = None) -> None:
        self.tries = 0
        self._failures = failures
        self._error = error or StoreUnavailableError()

    async def __call__(self) -> str:
        self.tries += 1
        if self.tries <= self._failures:
            raise self._error
        return "done"


@pytest.fixture
def clock() -> FakeClock:
    clock = FakeClock(auto_advance=True)
    clock.chances = [0.0] * 2000
    return clock


async def retried(work: Work, clock: FakeClock, stopping: asyncio.Event | None = None) -> str:
    return await until_it_works(work, name="connect", errors=(StoreUnavailableError,), clock=clock, stopping=stopping)


async def test_nothing_is_waited_for_when_it_works_at_once(clock: FakeClock) -> None:
    assert await retried(Work(0), clock) == "done"
    assert clock.sleeps == []


async def test_waits_double_up_to_a_limit(clock: FakeClock) -> None:
    assert await retried(Work(9), clock) == "done"
    assert clock.sleeps == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0])


async def test_waits_are_spread_by_the_chance_of_the_clock(clock: FakeClock) -> None:
    clock.chances = [0.5, 0.9]
    await retried(Work(2), clock)
    assert clock.sleeps == pytest.approx([0.15, 0.29])


async def test_waiting_goes_on_when_the_outage_is_long(clock: FakeClock) -> None:
    work = Work(1500)
    with structlog.testing.capture_logs():
        assert await retried(work, clock) == "done"
    assert set(clock.sleeps[10:]) == {5.0}


async def test_other_errors_leave_at_once(clock: FakeClock) -> None:
    work = Work(1, ValueError("a bug"))
    with pytest.raises(ValueError, match="a bug"):
        await retried(work, clock)
    assert work.tries == 1


async def test_last_error_leaves_when_the_process_is_to_stop(clock: FakeClock) -> None:
    stopping = asyncio.Event()
    stopping.set()
    work = Work(5)
    with pytest.raises(StoreUnavailableError):
        await retried(work, clock, stopping)
    assert work.tries == 1


async def test_every_further_try_is_told(clock: FakeClock) -> None:
    with structlog.testing.capture_logs() as lines:
        await retried(Work(2), clock)
    assert [(line["event"], line["work"], line["tries"]) for line in lines] == [
        ("infrastructure.retried", "connect", 1),
        ("infrastructure.retried", "connect", 2),
    ]
