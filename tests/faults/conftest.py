"""Stands for faults: on the run's servers, or on servers of their own that a scenario may stop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from coro_events.contract.topics import TOPICS
from coro_events.migrate import migrate
from tests.faults.reporting import Result
from tests.faults.run import REBALANCES, RESULTS, keep
from tests.faults.servers import Servers
from tests.faults.settings import PARTITIONS, SETTINGS
from tests.support import postgres
from tests.support.kafka import create_topics, new_topics
from tests.support.stand import Stand, standing

# The time of the slowest scenario on a busy machine; each wait inside has a limit of its own.
TIMEOUT_S = 240


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the scenarios more time than other tests have."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(TIMEOUT_S + item.config.stash.get(REBALANCES, 0)))


@pytest.fixture(scope="session")
def faults_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the dispatchers' logs."""
    return tmp_path_factory.mktemp("faults")


@pytest.fixture
async def stand(database_url: str, kafka_bootstrap: str, faults_folder: Path) -> AsyncIterator[Stand]:
    """Return a stand on the run's servers."""
    prefix = f"{new_topics().prefix}."
    await create_topics(kafka_bootstrap, tuple(prefix + name for name in TOPICS), partitions=PARTITIONS)
    async with standing(
        database_url=database_url, kafka_bootstrap=kafka_bootstrap, prefix=prefix, folder=faults_folder
    ) as made:
        made.settings = dict(SETTINGS)
        yield made


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Return servers of these tests alone, which they may stop."""
    folder = tmp_path_factory.mktemp("servers")
    made = Servers(folder)
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture
async def own_stand(servers: Servers, faults_folder: Path) -> AsyncIterator[Stand]:
    """Return a stand on servers that the test may stop."""
    servers.start()
    database_url = await postgres.create_database(servers.database_admin_url, postgres.new_name("faults"))
    await asyncio.to_thread(migrate, database_url)
    prefix = f"{new_topics().prefix}."
    await create_topics(servers.kafka_bootstrap, tuple(prefix + name for name in TOPICS), partitions=PARTITIONS)
    async with standing(
        database_url=database_url,
        kafka_bootstrap=servers.kafka_bootstrap,
        prefix=prefix,
        folder=faults_folder,
    ) as made:
        made.settings = dict(SETTINGS)
        yield made


@pytest.fixture
def report(pytestconfig: pytest.Config) -> Callable[[Result], None]:
    """Return what keeps a scenario's result for the table and fails where it does not hold."""
    return partial(keep, pytestconfig.stash.setdefault(RESULTS, []))


@pytest.fixture(scope="session")
def rebalances(pytestconfig: pytest.Config) -> int:
    """Return how many rebalances in a row to make."""
    return pytestconfig.stash.get(REBALANCES, 100)
