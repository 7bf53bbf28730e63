"""What holds for every test: real servers only on demand, a clean environment, no network in unit tests."""

import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from coro_events.store.engine import make_engine
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from deploy.local.servers import DATABASE_SETTING, KAFKA_SETTING, temporary_servers
from tests.support import kafka, postgres
from tests.support.clock import FakeClock
from tests.support.emptying import Databases
from tests.support.kafka import Topics
from tests.support.makers import make_vault
from tests.support.sharing import SharedServers, told_by_the_run
from tests.support.sockets import no_network

UNIT_TESTS = Path(__file__).parent / "unit"
PARTITIONS = 3
# Stands for a server that this fixture need not start.
ELSEWHERE = "not-needed"

_servers_given = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep where the servers are, then scrub the environment: no test depends on who runs it."""
    ours = [name for name in os.environ if name.upper().startswith("CORO_")]
    given = {name: os.environ.pop(name) for name in ours} | told_by_the_run(config)
    config.stash[_servers_given] = given
    if config.getoption("numprocesses"):
        config.pluginmanager.register(SharedServers(given))


@pytest.fixture(autouse=True)
def _no_network_in_unit_tests(request: pytest.FixtureRequest) -> Iterator[None]:
    if not request.path.is_relative_to(UNIT_TESTS):
        yield
        return
    with no_network():
        yield


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Undo what a command line sets up for its process: it would log to an output that is closed after its test."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    if structlog.is_configured():
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
        # pytest has handlers of its own there, for each phase of a test.
        root.handlers[:] = [one for one in root.handlers if one in handlers] or handlers
        root.setLevel(level)


@pytest.fixture(scope="session")
def database_admin_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """Start PostgreSQL once a run, on demand; the address may create databases."""
    given = pytestconfig.stash[_servers_given]
    with temporary_servers({DATABASE_SETTING: given.get(DATABASE_SETTING, ""), KAFKA_SETTING: ELSEWHERE}) as servers:
        yield servers.database_admin_url


@pytest.fixture(scope="session")
def kafka_bootstrap(pytestconfig: pytest.Config) -> Iterator[str]:
    """Start Kafka once a run, on demand."""
    given = pytestconfig.stash[_servers_given]
    with temporary_servers({DATABASE_SETTING: ELSEWHERE, KAFKA_SETTING: given.get(KAFKA_SETTING, "")}) as servers:
        yield servers.kafka_bootstrap


@pytest.fixture(scope="session")
def _template_database(database_admin_url: str) -> Iterator[str]:
    name = postgres.create_template(database_admin_url)
    yield name
    postgres.in_own_loop(postgres.drop_database(database_admin_url, name))


@pytest.fixture
async def empty_database_url(database_admin_url: str) -> AsyncIterator[str]:
    """Return the address of a fresh database without any table."""
    name = postgres.new_name("empty")
    yield await postgres.create_database(database_admin_url, name)
    await postgres.drop_database(database_admin_url, name)


@pytest.fixture(scope="session")
async def _databases(database_admin_url: str, _template_database: str) -> AsyncIterator[Databases]:
    databases = Databases(database_admin_url, _template_database)
    yield databases
    await databases.close()


@pytest.fixture
async def database_url(database_admin_url: str, _databases: Databases) -> AsyncIterator[str]:
    """Return the address of a migrated database without any row but those of the migrations."""
    name = await _databases.lend()
    yield postgres.url_of(database_admin_url, name)
    await _databases.take_back(name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Return the units of work of a migrated database without any row but those of the migrations."""
    database = Database(make_engine(database_url, application_name="coro-tests"))
    yield database
    await database.dispose()


@pytest.fixture
async def topics(kafka_bootstrap: str) -> AsyncIterator[Topics]:
    """Create topics of this test alone, three partitions each."""
    names = kafka.new_topics()
    await kafka.create_topics(kafka_bootstrap, names.all(), partitions=PARTITIONS)
    yield names
    await kafka.delete_topics(kafka_bootstrap, names.all())


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that stands still until the test moves it."""
    return FakeClock()


@pytest.fixture
def vault() -> Vault:
    """Return a vault with made-up keys."""
    return make_vault()
