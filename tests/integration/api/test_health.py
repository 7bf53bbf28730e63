"""What operators and callers are told while something is away."""

import asyncio
from typing import Any, cast

import httpx
import pytest
from prometheus_client import CollectorRegistry

from coro_events.store.engine import make_engine
from coro_events.store.unit import Database
from services.api.app import make_rooms, make_web
from services.api.edge import Edge
from services.api.health import Health
from services.api.metrics import Metrics
from services.api.publish.relay import SILENCE_S, Relay
from services.api.settings import ApiSettings
from tests.integration.api.calls import ask_for_token
from tests.support.clock import FakeClock
from tests.support.resolving import FakeResolver

NOWHERE = "postgresql://coro:hush@127.0.0.1:9/coro"


@pytest.fixture
def relay(clock: FakeClock) -> Relay:
    """Return a relay that is not running."""
    none = cast("Any", None)
    return Relay(outbox=none, publisher=none, clock=clock, metrics=Metrics(CollectorRegistry()), poll_s=1)


@pytest.fixture
def absent() -> Database:
    """Return a database that nobody serves."""
    return Database(make_engine(NOWHERE, application_name="coro-tests"))


async def test_all_is_well_when_the_schema_is_current_and_the_relay_makes_steps(
    database: Database, relay: Relay
) -> None:
    health = Health(database=database, relay=relay)

    assert await health.healthy() == {}
    assert await health.ready() == {}


async def test_silent_relay_is_told_when_it_makes_no_steps(database: Database, relay: Relay, clock: FakeClock) -> None:
    health = Health(database=database, relay=relay)

    await clock.advance(SILENCE_S + 1)

    assert set(await health.healthy()) == {"relay"}
    assert set(await health.ready()) == {"relay"}


async def test_absent_database_is_told_and_needs_no_restart(absent: Database, relay: Relay) -> None:
    health = Health(database=absent, relay=relay)

    assert await health.healthy() == {}
    assert dict(await health.ready()) == {"database": "The database is not available: ConnectionRefusedError"}


async def test_schema_is_told_when_it_is_behind(empty_database_url: str, relay: Relay) -> None:
    empty = Database(make_engine(empty_database_url, application_name="coro-tests", pool_size=0))

    assert set(await Health(database=empty, relay=relay).ready()) == {"schema"}


async def test_caller_is_asked_to_come_again_when_the_database_is_away(
    settings: ApiSettings, absent: Database, clock: FakeClock
) -> None:
    rooms = make_rooms(settings, database=absent, clock=clock, resolver=FakeResolver(), stopping=asyncio.Event())
    app = Edge(make_web(rooms), clock=clock, metrics=Metrics(CollectorRegistry()))

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as http:
        answer = await ask_for_token(http)

    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"
    assert "hush" not in answer.text
