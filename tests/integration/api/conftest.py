"""The config service over real PostgreSQL, called without a network; its clock belongs to the test."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from coro_events.runtime.clock import SystemClock
from coro_events.store.unit import Database
from services.api.app import make_rooms
from services.api.edge import Edge
from services.api.metrics import Metrics
from services.api.settings import ApiSettings
from tests.integration.api.calls import Api, insert_credential
from tests.integration.api.web import Webs
from tests.support.clock import FakeClock
from tests.support.makers import TEST_KEYS, insert_workspace
from tests.support.resolving import FakeResolver


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that stands at the real time, for which there are partitions."""
    return FakeClock(SystemClock().now())


@pytest.fixture
def settings(database_url: str) -> ApiSettings:
    """Return the settings of the service; nothing listens where Kafka should be."""
    return ApiSettings(
        # Tests ask faster than people; the limit has tests of its own.
        api_requests_per_s=0,
        environment="test",
        database_url=SecretStr(database_url),
        kafka_bootstrap_servers="127.0.0.1:9",
        secret_keys=SecretStr(TEST_KEYS),
        token_keys=SecretStr(TEST_KEYS),
        api_test_wait_s=12,
    )


@pytest.fixture
def stopping() -> asyncio.Event:
    """Return what tells the service to stop."""
    return asyncio.Event()


@pytest.fixture
def resolver() -> FakeResolver:
    """Return a resolver that knows three names; all others cannot be resolved."""
    return FakeResolver(
        {
            "public.example": ["8.8.8.8", "2606:4700:4700::1111"],
            "inside.example": ["10.1.2.3"],
            "mixed.example": ["8.8.8.8", "169.254.169.254"],
        }
    )


@pytest.fixture(scope="session")
def _webs() -> Webs:
    return Webs()


@pytest.fixture
async def http(
    settings: ApiSettings,
    database: Database,
    clock: FakeClock,
    resolver: FakeResolver,
    stopping: asyncio.Event,
    _webs: Webs,
) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of the whole application, from the edge inwards."""
    rooms = make_rooms(settings, database=database, clock=clock, resolver=resolver, stopping=stopping)
    app = Edge(_webs.serving(rooms), clock=clock, metrics=Metrics(CollectorRegistry()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as client:
        yield client


@pytest.fixture
async def api(http: httpx.AsyncClient, database: Database) -> Api:
    """Return an administrator's calls in workspace `acme`, which has the child `acme-east`."""
    await insert_workspace(database, "acme")
    await insert_workspace(database, "acme-east", parent="acme")
    await insert_workspace(database, "rival")
    client_id = f"client-{uuid.uuid4().hex[:8]}"
    await insert_credential(database, client_id=client_id)
    api = Api(http, workspace="acme")
    await api.sign_in(client_id)
    return api
