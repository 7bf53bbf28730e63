"""The wish to lead: asked on every heartbeat, given up in the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.scheduler.leading.candidacy import Candidacy
from tests.support.clock import FakeClock
from tests.support.scheduler import FakeLeadership, Place
from tests.support.waiting import let_others_run


class Announcements(list[bool]):
    """Every change, in order."""


def make_candidacy(place: Place, clock: FakeClock) -> tuple[Candidacy, Announcements]:
    announcements = Announcements()
    candidacy = Candidacy(leadership=FakeLeadership(place), clock=clock, heartbeat_s=2, announce=announcements.append)
    return candidacy, announcements


@asynccontextmanager
async def under_way(candidacy: Candidacy) -> AsyncIterator[None]:
    finished = asyncio.Event()
    task = asyncio.ensure_future(candidacy.run(finished))
    await let_others_run()
    yield
    finished.set()
    await task


async def test_one_of_two_leads_and_the_other_takes_over_when_it_ends(clock: FakeClock) -> None:
    place = Place()
    first, first_heard = make_candidacy(place, clock)
    second, second_heard = make_candidacy(place, clock)
    async with under_way(first), under_way(second):
        assert (first.leading, second.leading) == (True, False)
    async with under_way(second):
        assert second.leading
    assert place.holder is None
    assert (first_heard, second_heard) == ([True, False], [True, False])


async def test_lead_is_lost_when_nobody_can_be_asked_and_comes_back_later(clock: FakeClock) -> None:
    place = Place()
    candidacy, heard = make_candidacy(place, clock)
    async with under_way(candidacy):
        place.is_away = True
        await clock.advance(2)
        assert heard == [True, False]
        place.is_away = False
        await clock.advance(2)
        assert heard == [True, False, True]
    assert heard == [True, False, True, False]


async def test_time_of_the_last_answer_moves_along(clock: FakeClock) -> None:
    candidacy, _ = make_candidacy(Place(), clock)
    async with under_way(candidacy):
        await clock.advance(10)
        assert candidacy.asked_at == clock.monotonic()
