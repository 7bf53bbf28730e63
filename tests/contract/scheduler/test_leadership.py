"""What every adapter of `Leadership` promises."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from coro_events.errors import StoreUnavailableError
from coro_events.store.engine import make_engine
from coro_events.store.unit import Database
from services.scheduler.leading.ports import Leadership
from services.scheduler.leading.sql import LEADER_LOCK, AdvisoryLeadership
from tests.support.scheduler import FakeLeadership, Place


@dataclass(frozen=True)
class World:
    """Makes candidates for one place, and cuts off whoever leads."""

    candidate: Callable[[], Leadership]
    cut_off: Callable[[], Awaitable[None]]


def fake_world() -> World:
    place = Place()

    async def cut_off() -> None:
        place.holder = None

    return World(candidate=lambda: FakeLeadership(place), cut_off=cut_off)


def real_world(database: Database, made: list[AdvisoryLeadership]) -> World:
    def candidate() -> AdvisoryLeadership:
        made.append(AdvisoryLeadership(database, answer_s=5, silence_s=60))
        return made[-1]

    async def cut_off() -> None:
        holders = text("select pg_terminate_backend(pid, 5000) from pg_locks where objid = :lock and granted")
        async with database.autocommit() as connection:
            await connection.execute(holders, {"lock": LEADER_LOCK % 2**32})

    return World(candidate=candidate, cut_off=cut_off)


@pytest.fixture(params=["fake", "real"])
def real_url(request: pytest.FixtureRequest) -> str | None:
    """Return where the real one is, or nothing for the fake."""
    if request.param == "fake":
        return None
    url: str = request.getfixturevalue("database_url")
    return url


@pytest.fixture
async def world(real_url: str | None) -> AsyncIterator[World]:
    if real_url is None:
        yield fake_world()
        return
    database = Database(make_engine(real_url, application_name="coro-tests", pool_size=0))
    made: list[AdvisoryLeadership] = []
    yield real_world(database, made)
    for leadership in made:
        await leadership.resign()


async def test_first_candidate_leads_and_the_others_wait(world: World) -> None:
    first, second, third = world.candidate(), world.candidate(), world.candidate()
    assert await first.seek()
    assert not await second.seek()
    assert not await third.seek()


async def test_leader_still_leads_when_it_asks_again(world: World) -> None:
    first, second = world.candidate(), world.candidate()
    assert await first.seek()
    assert await first.seek()
    assert not await second.seek()
    assert await first.seek()


async def test_place_is_free_when_the_leader_resigned(world: World) -> None:
    first, second = world.candidate(), world.candidate()
    assert await first.seek()
    assert await first.seek()
    await first.resign()
    assert await second.seek()
    assert not await first.seek()


async def test_resigning_does_no_harm_when_somebody_else_leads(world: World) -> None:
    first, second, third = world.candidate(), world.candidate(), world.candidate()
    assert await first.seek()
    assert not await second.seek()
    await second.resign()
    await third.resign()
    assert not await third.seek()
    assert await first.seek()


async def test_another_takes_over_when_the_leader_is_cut_off(world: World) -> None:
    first, second = world.candidate(), world.candidate()
    assert await first.seek()
    await world.cut_off()
    assert await second.seek()
    try:
        leads = await first.seek()
    except StoreUnavailableError:
        leads = False
    assert not leads
    assert not await first.seek(), "and it must not come back beside the new one"
