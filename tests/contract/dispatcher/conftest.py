"""The world that a suite runs in: once with fakes, once with PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from coro_events.store.engine import make_engine
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from tests.contract.dispatcher.worlds import FakeWorld, RealWorld, World, forget_everything
from tests.support import postgres
from tests.support.clock import FakeClock
from tests.support.makers import insert_workspace


@pytest.fixture(scope="session")
async def shared_database(database_admin_url: str, _template_database: str) -> AsyncIterator[Database]:
    """Return a migrated database for all suites of this folder."""
    name = postgres.new_name("contract")
    url = await postgres.create_database(database_admin_url, name, template=_template_database)
    database = Database(make_engine(url, application_name="coro-tests"))
    yield database
    await database.dispose()
    await postgres.drop_database(database_admin_url, name)


@pytest.fixture(params=["fake", "real"])
def real_database(request: pytest.FixtureRequest) -> Database | None:
    """Return where the real one is, or nothing for the fake."""
    return request.getfixturevalue("shared_database") if request.param == "real" else None


@pytest.fixture
async def world(real_database: Database | None, vault: Vault, clock: FakeClock) -> World:
    if real_database is None:
        return FakeWorld(clock)
    await forget_everything(real_database)
    await insert_workspace(real_database, "acme")
    return RealWorld(real_database, vault, clock)
