"""Rounds: every chore in its turn, none of them able to stop the others."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

from prometheus_client import CollectorRegistry

from services.scheduler.rounds import Chore, Rounds
from services.scheduler.standing import Standing
from tests.support.clock import START, FakeClock
from tests.support.scheduler import FakeChore
from tests.support.waiting import let_others_run, wait_until


class Lead:
    """An answer that the test can change."""

    def __init__(self, *, leads: bool = True) -> None:
        self.leads = leads

    async def __call__(self) -> bool:
        return self.leads


def make_rounds(clock: FakeClock, *chores: Chore, registry: CollectorRegistry | None = None) -> tuple[Rounds, Standing]:
    standing = Standing(registry or CollectorRegistry(), patience=3)
    rounds = Rounds(chores=chores, clock=clock, standing=standing, interval_s=60, tick_s=2, chore_limit_s=0.05)
    return rounds, standing


@asynccontextmanager
async def under_way(rounds: Rounds, lead: Lead) -> AsyncIterator[asyncio.Event]:
    stopping = asyncio.Event()
    task = asyncio.ensure_future(rounds.run(lead, stopping))
    await let_others_run()
    yield stopping
    stopping.set()
    await task


async def test_round_starts_at_once_and_again_after_the_interval(clock: FakeClock) -> None:
    chore = FakeChore("a")
    rounds, _ = make_rounds(clock, chore)
    async with under_way(rounds, Lead()):
        assert chore.runs == [START]
        await clock.advance(59)
        assert len(chore.runs) == 1
        await clock.advance(61)
        assert len(chore.runs) == 3


async def test_no_chore_runs_when_somebody_else_leads(clock: FakeClock) -> None:
    chore = FakeChore("a")
    rounds, _ = make_rounds(clock, chore)
    lead = Lead(leads=False)
    async with under_way(rounds, lead):
        await clock.advance(600)
        assert chore.runs == []
        lead.leads = True
        await clock.advance(2)
        assert len(chore.runs) == 1, "the first round of a new leader starts with the next tick"


async def test_round_ends_when_the_lead_is_lost_in_the_middle(clock: FakeClock) -> None:
    lead = Lead()

    class Usurped(FakeChore):
        async def run_once(self, now: datetime) -> Mapping[str, object]:
            lead.leads = False
            return await super().run_once(now)

    first, second = Usurped("first"), FakeChore("second")
    rounds, _ = make_rounds(clock, first, second)
    async with under_way(rounds, lead):
        assert len(first.runs) == 1
        assert second.runs == []


async def test_others_run_when_one_chore_fails(clock: FakeClock) -> None:
    registry = CollectorRegistry()
    first, second = FakeChore("first", ValueError("no")), FakeChore("second")
    rounds, _ = make_rounds(clock, first, second, registry=registry)
    async with under_way(rounds, Lead()):
        assert len(second.runs) == 1
    assert registry.get_sample_value("coro_scheduler_chore_failures_total", {"chore": "first"}) == 1
    last_success = "coro_scheduler_chore_last_success_timestamp_seconds"
    assert registry.get_sample_value(last_success, {"chore": "second"}) == START.timestamp()
    assert registry.get_sample_value(last_success, {"chore": "first"}) is None


async def test_chore_is_a_problem_only_when_its_failure_persists(clock: FakeClock) -> None:
    chore = FakeChore("a", ValueError("a secret"))
    rounds, standing = make_rounds(clock, chore)
    async with under_way(rounds, Lead()):
        await clock.advance(60)
        assert standing.problems() == {}
        await clock.advance(60)
        assert standing.problems() == {"a": "failed 3 times in a row, last with ValueError"}
        chore.error = None
        await clock.advance(60)
        assert standing.problems() == {}


async def test_chore_fails_when_it_takes_too_long(clock: FakeClock) -> None:
    class Endless(FakeChore):
        async def run_once(self, now: datetime) -> Mapping[str, object]:
            await super().run_once(now)
            return await asyncio.Future()

    endless, second = Endless("endless"), FakeChore("second")
    rounds, _ = make_rounds(clock, endless, second)
    reports = await rounds.once(START)
    assert [(report.chore, report.error) for report in reports] == [("endless", "TimeoutError"), ("second", "")]


async def test_stopping_waits_for_the_chore_at_hand_and_starts_no_other(clock: FakeClock) -> None:
    go_on = asyncio.Event()

    class Slow(FakeChore):
        async def run_once(self, now: datetime) -> Mapping[str, object]:
            await go_on.wait()
            return await super().run_once(now)

    slow, second = Slow("slow"), FakeChore("second")
    rounds = Rounds(
        chores=[slow, second],
        clock=clock,
        standing=Standing(CollectorRegistry(), patience=3),
        interval_s=60,
        tick_s=2,
        chore_limit_s=60,
    )
    async with under_way(rounds, Lead()) as stopping:
        stopping.set()
        await let_others_run()
        assert not rounds.finished.is_set()
        go_on.set()
        await wait_until(rounds.finished.is_set, what="the rounds to finish")
    assert len(slow.runs) == 1
    assert second.runs == []


async def test_every_chore_runs_once_as_at_the_given_time_when_asked_for_one_run(clock: FakeClock) -> None:
    then = datetime.fromisoformat("2027-01-01T00:00:00Z")
    first, second = FakeChore("first", ValueError("no")), FakeChore("second")
    rounds, _ = make_rounds(clock, first, second)
    reports = await rounds.once(then)
    assert first.runs == second.runs == [then]
    assert [(report.chore, report.is_ok) for report in reports] == [("first", False), ("second", True)]
    assert reports[1].did == {"number": 1}
