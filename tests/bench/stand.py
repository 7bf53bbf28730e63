"""The servers of a measurement, durable, and a stand on them for each scenario."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from coro_events.contract.topics import TOPICS
from coro_events.migrate import migrate
from deploy.local.broker import EmbeddedKafka
from deploy.local.ports import free_port
from deploy.local.postgres import EmbeddedPostgres
from tests.support.kafka import create_topics
from tests.support.postgres import create_database, drop_database
from tests.support.stand import Stand, standing

PARTITIONS = 6


@dataclass(frozen=True)
class Servers:
    """Where the servers are."""

    database_admin_url: str
    kafka_bootstrap: str


@asynccontextmanager
async def servers(folder: Path) -> AsyncIterator[Servers]:
    """Start durable servers, or take those that the environment names."""
    database_url = os.environ.get("CORO_DATABASE_URL")
    bootstrap = os.environ.get("CORO_KAFKA_BOOTSTRAP_SERVERS")
    postgres = kafka = None
    try:
        if not database_url:
            postgres = EmbeddedPostgres(
                folder / "postgres", free_port(), settings={"shared_preload_libraries": "pg_stat_statements"}
            )
            postgres.launch()
            postgres.await_ready()
            database_url = postgres.url("postgres")
        if not bootstrap:
            kafka = EmbeddedKafka(folder / "kafka", free_port(), free_port())
            kafka.launch()
            kafka.await_ready()
            bootstrap = kafka.bootstrap
        yield Servers(database_url, bootstrap)
    finally:
        for server in (kafka, postgres):
            if server is not None:
                server.remove()


@asynccontextmanager
async def stand(where: Servers, folder: Path) -> AsyncIterator[Stand]:
    """Set up a fresh database, topics and a receiver; take everything down at the end."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    database_url = await create_database(where.database_admin_url, name)
    await asyncio.to_thread(migrate, database_url)
    prefix = f"{name}."
    await create_topics(where.kafka_bootstrap, tuple(prefix + topic for topic in TOPICS), partitions=PARTITIONS)
    async with standing(
        database_url=database_url, kafka_bootstrap=where.kafka_bootstrap, prefix=prefix, folder=folder
    ) as made:
        yield made
    await drop_database(where.database_admin_url, name)
