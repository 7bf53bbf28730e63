"""The clock of the tests keeps the promises of the real one, and the test owns it."""

import asyncio
from datetime import timedelta

import pytest

from coro_events.runtime.clock import Clock, SystemClock
from tests.support.clock import START, FakeClock
from tests.support.waiting import let_others_run


@pytest.fixture(params=["fake", "system"])
def any_clock(request: pytest.FixtureRequest) -> Clock:
    return FakeClock(auto_advance=True) if request.param == "fake" else SystemClock()


async def test_both_times_move_along_when_somebody_sleeps(any_clock: Clock) -> None:
    now, monotonic = any_clock.now(), any_clock.monotonic()
    await any_clock.sleep(0.02)
    assert any_clock.now() - now >= timedelta(seconds=0.015)
    assert any_clock.monotonic() - monotonic >= 0.015


def test_time_is_utc_and_chance_is_below_one(any_clock: Clock) -> None:
    assert any_clock.now().utcoffset() == timedelta(0)
    assert all(0 <= any_clock.chance() < 1 for _ in range(100))


async def test_sleepers_wake_in_order_and_each_at_its_own_moment(clock: FakeClock) -> None:
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, *durations_s: float) -> None:
        for duration_s in durations_s:
            await clock.sleep(duration_s)
            woken.append((name, clock.monotonic() - 1000))

    tasks = [asyncio.ensure_future(sleeper("a", 3, 1)), asyncio.ensure_future(sleeper("b", 2))]
    await clock.advance(1)
    assert woken == []
    assert clock.sleepers == 2
    await clock.advance(10)
    assert woken == [("b", 2), ("a", 3), ("a", 4)]
    assert clock.now() == START + timedelta(seconds=11)
    await asyncio.gather(*tasks)


async def test_nothing_wakes_when_the_test_does_not_move_the_time(clock: FakeClock) -> None:
    task = asyncio.ensure_future(clock.sleep(0.001))
    await let_others_run()
    assert not task.done()
    task.cancel()


def test_chance_is_what_the_test_chose(clock: FakeClock) -> None:
    clock.chances = [0.1, 0.9]
    assert [clock.chance() for _ in range(3)] == [0.1, 0.9, 0.5]
