"""A replica's database-side parts; one database for the folder, emptied before each test."""

from collections.abc import AsyncIterator

import pytest

from coro_events.store.engine import make_engine
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from tests.contract.dispatcher.worlds import forget_everything
from tests.integration.dispatcher.room import Room
from tests.support import postgres
from tests.support.clock import FakeClock


@pytest.fixture(scope="session")
async def shared_database(database_admin_url: str, _template_database: str) -> AsyncIterator[Database]:
    name = postgres.new_name("dispatcher")
    url = await postgres.create_database(database_admin_url, name, template=_template_database)
    database = Database(make_engine(url, application_name="coro-tests"))
    yield database
    await database.dispose()
    await postgres.drop_database(database_admin_url, name)


@pytest.fixture
async def room(shared_database: Database, vault: Vault, clock: FakeClock) -> Room:
    await forget_everything(shared_database)
    return Room(shared_database, vault, clock)
