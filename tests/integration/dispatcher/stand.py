"""A dispatcher as a real process, with its own database, topics and receiver."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from sqlalchemy import text
from sqlalchemy.engine import Row

from coro_events.contract.codec import encode
from coro_events.contract.envelope import Event
from coro_events.runtime.kafka import make_producer
from coro_events.store.engine import make_engine
from coro_events.store.unit import Database
from tests.support.kafka import Topics
from tests.support.makers import TEST_KEYS, StoredWebhook, insert_webhook, insert_workspace, make_vault
from tests.support.processes import Process, free_port, running
from tests.support.receiver import Receiver
from tests.support.waiting import wait_until

STATUS = "workspace-status-updated"


@dataclass
class Stand:
    """What stands around a dispatcher."""

    database_url: str
    bootstrap: str
    topics: Topics
    database: Database
    receiver: Receiver
    producer: AIOKafkaProducer

    def settings(self, **changes: str) -> dict[str, str]:
        """Return the environment of a dispatcher that works here."""
        return {
            "CORO_ENVIRONMENT": "local",
            "CORO_DATABASE_URL": self.database_url,
            "CORO_KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "CORO_KAFKA_TOPIC_PREFIX": f"{self.topics.prefix}.",
            "CORO_SECRET_KEYS": TEST_KEYS,
            "CORO_ALLOWED_NETWORKS": "127.0.0.0/8",
            "CORO_OPS_PORT": str(free_port()),
            "CORO_DISPATCHER_CLAIM_INTERVAL_S": "0.05",
            "CORO_DISPATCHER_RETRY_INITIAL_S": "0.2",
            "CORO_DISPATCHER_RETRY_FACTOR": "2",
        } | {f"CORO_{name.upper()}": value for name, value in changes.items()}

    @contextmanager
    def dispatcher(self, **changes: str) -> Iterator[Process]:
        """Run a dispatcher for the block."""
        with running("services.dispatcher", environ=self.settings(**changes)) as process:
            yield process

    async def webhook(self, path: str, workspace_id: str) -> StoredWebhook:
        """Make a workspace with a webhook whose receiver behaves as the path says."""
        await insert_workspace(self.database, workspace_id)
        return await insert_webhook(
            self.database, make_vault(), workspace_id=workspace_id, url=self.receiver.url(path), triggers=[STATUS]
        )

    async def emit(self, *events: Event) -> None:
        """Publish events, all of them in one partition if they are of one workspace."""
        sent = []
        for event in events:
            key, value, headers = encode(event)
            sent.append(await self.producer.send(self.topics.events, value=value, key=key, headers=headers))
        for one in sent:
            await one

    async def all(self, query: str, **params: object) -> list[Row[Any]]:
        """Return the rows of a query."""
        async with self.database.read() as connection:
            return list(await connection.rows(text(query), params))

    async def until_states(self, webhook: StoredWebhook, *states: str, limit_s: float = 20.0) -> None:
        """Wait until a webhook's deliveries are in these states, sorted."""

        async def reached() -> bool:
            query = "select state from deliveries where webhook_id = :id order by state"
            return [row.state for row in await self.all(query, id=webhook.id)] == sorted(states)

        await wait_until(reached, what=f"deliveries that are {states[:5]}", limit_s=limit_s)


@asynccontextmanager
async def standing(database_url: str, bootstrap: str, topics: Topics) -> AsyncIterator[Stand]:
    """Put up all that stands around a dispatcher."""
    receiver = Receiver()
    await receiver.start()
    producer = make_producer(bootstrap, client_id="test", linger_ms=5)
    await producer.start()
    database = Database(make_engine(database_url, application_name="coro-tests"))
    try:
        yield Stand(database_url, bootstrap, topics, database, receiver, producer)
    finally:
        await database.dispose()
        await producer.stop()
        await receiver.stop()
