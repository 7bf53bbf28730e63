"""The relay: everything that is in the outbox reaches Kafka, in order, whatever goes away meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import func, insert, select, text

from coro_events.errors import PublishError
from coro_events.runtime.clock import Clock, SystemClock
from coro_events.runtime.kafka import make_consumer, make_producer
from coro_events.store.engine import make_engine
from coro_events.store.outbox import RING
from coro_events.store.tables import outbox
from coro_events.store.unit import Database
from services.api.metrics import Metrics
from services.api.publish.kafka import KafkaPublisher
from services.api.publish.ports import OutboxMessage
from services.api.publish.relay import BATCH_MESSAGES, Relay
from services.api.publish.sql import RELAY_LOCK, SqlOutbox
from tests.support.kafka import Topics
from tests.support.waiting import wait_until


async def write(database: Database, topic: str, numbers: Sequence[int], *, ring: bool = True) -> None:
    """Leave messages in the outbox, one transaction, all of one workspace."""
    async with database.write() as connection:
        for number in numbers:
            message = {"id": str(number), "specversion": "1.0", "data": {"text": "größer"}}
            values = {"topic": topic, "key": "acme", "message": message, "created_at": datetime(2026, 3, 2, tzinfo=UTC)}
            await connection.execute(insert(outbox).values(values))
        if ring:
            await connection.execute(RING)


async def waiting(database: Database) -> int:
    """Return how many messages are in the outbox."""
    async with database.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(outbox)))


async def read(bootstrap: str, topic: str, count: int) -> list[Any]:
    """Return the first records of a topic."""
    consumer = make_consumer(bootstrap, client_id="test", group_id=f"{topic}-reader", max_records=500)
    consumer.subscribe([topic])
    await consumer.start()
    try:
        records: list[Any] = []
        async with asyncio.timeout(30):
            while len(records) < count:
                batches = await consumer.getmany(timeout_ms=500)
                records += [record for batch in batches.values() for record in batch]
    finally:
        await consumer.stop()
    return records


class Broken:
    """A publisher of a Kafka that is away until it is mended; remembers what it was given."""

    def __init__(self) -> None:
        self.is_away = True
        self.tries = 0
        self.published: list[str] = []
        self.before_acknowledging: Callable[[], Any] = lambda: None

    async def publish(self, messages: Sequence[OutboxMessage]) -> None:
        self.tries += 1
        if self.is_away:
            raise PublishError("away")
        self.published += [str(message.message["id"]) for message in messages]
        pending = self.before_acknowledging()
        if pending is not None:
            await pending

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def broken() -> Broken:
    """Return a Kafka that is away."""
    return Broken()


def make_relay(
    database_url: str,
    publisher: Any,
    *,
    poll_s: float = 0.05,
    metrics: Metrics | None = None,
    clock: Clock | None = None,
) -> Relay:
    """Make a relay on its own connection."""
    return Relay(
        outbox=SqlOutbox(make_engine(database_url, application_name="coro-test-relay", pool_size=0)),
        publisher=publisher,
        clock=clock or SystemClock(),
        metrics=metrics or Metrics(CollectorRegistry()),
        poll_s=poll_s,
    )


@asynccontextmanager
async def at_work(relay: Relay) -> AsyncIterator[asyncio.Event]:
    """Run a relay for the block, then stop it."""
    stopping = asyncio.Event()
    task = asyncio.ensure_future(relay.run(stopping))
    try:
        yield stopping
    finally:
        stopping.set()
        async with asyncio.timeout(20):
            await task


async def test_messages_reach_kafka_in_order_and_leave_the_outbox(
    database_url: str, database: Database, kafka_bootstrap: str, topics: Topics
) -> None:
    publisher = KafkaPublisher(partial(make_producer, kafka_bootstrap, client_id="test-relay"))
    numbers = range(BATCH_MESSAGES + 50)
    await write(database, topics.webhooks, numbers)

    async with at_work(make_relay(database_url, publisher, poll_s=30)):
        await wait_until(partial(is_empty, database), what="the outbox to be empty", limit_s=30)
        await write(database, topics.webhooks, [len(numbers)])
        await wait_until(partial(is_empty, database), what="the last message to be rung for")

    records = await read(kafka_bootstrap, topics.webhooks, len(numbers) + 1)
    assert [json.loads(record.value)["id"] for record in records] == [
        str(number) for number in (*numbers, len(numbers))
    ]
    assert {record.key for record in records} == {b"acme"}
    assert json.loads(records[0].value)["data"]["text"] == "größer"
    assert dict(records[0].headers)["content-type"].startswith(b"application/cloudevents+json")


async def is_empty(database: Database) -> bool:
    """Return whether the outbox is empty."""
    return await waiting(database) == 0


async def test_publisher_recovers_when_kafka_was_away(kafka_bootstrap: str, topics: Topics) -> None:
    addresses = ["127.0.0.1:9", kafka_bootstrap]
    publisher = KafkaPublisher(lambda: make_producer(addresses.pop(0), client_id="test-relay"))
    message = OutboxMessage(1, topics.webhooks, "acme", {"id": "1"}, datetime(2026, 3, 2, tzinfo=UTC))

    with pytest.raises(PublishError):
        await publisher.publish([message])
    await publisher.publish([message])

    assert len(await read(kafka_bootstrap, topics.webhooks, 1)) == 1
    await publisher.close()


async def test_messages_wait_when_kafka_is_away_and_go_when_it_is_back(
    database_url: str, database: Database, broken: Broken
) -> None:
    await write(database, "any", range(3))
    relay = make_relay(database_url, broken)

    async with at_work(relay):
        await wait_until(lambda: broken.tries >= 2, what="a second try")
        assert relay.problem() is not None
        assert await waiting(database) == 3
        broken.is_away = False
        await wait_until(partial(is_empty, database), what="the outbox to be empty")
        assert relay.problem() is None

    assert broken.published == ["0", "1", "2"]


async def test_messages_stay_when_the_relay_stops_without_kafka(
    database_url: str, database: Database, broken: Broken
) -> None:
    await write(database, "any", range(3))

    async with at_work(make_relay(database_url, broken)):
        await wait_until(lambda: broken.tries, what="a try")

    assert await waiting(database) == 3


async def test_last_messages_go_when_they_came_before_the_stop(
    database_url: str, database: Database, broken: Broken
) -> None:
    broken.is_away = False

    async with at_work(make_relay(database_url, broken, poll_s=30)) as stopping:
        await write(database, "any", range(BATCH_MESSAGES + 1), ring=False)
        stopping.set()

    assert len(broken.published) == BATCH_MESSAGES + 1
    assert await waiting(database) == 0


async def test_relay_goes_on_when_its_connection_is_cut(database_url: str, database: Database, broken: Broken) -> None:
    broken.is_away = False
    async with at_work(make_relay(database_url, broken)):
        await write(database, "any", [1])
        await wait_until(partial(is_empty, database), what="the first message to go")
        await cut_off(database)
        await write(database, "any", [2])
        await wait_until(partial(is_empty, database), what="the second message to go")

    assert broken.published == ["1", "2"]


async def test_message_is_published_again_when_it_could_not_be_removed(
    database_url: str, database: Database, broken: Broken
) -> None:
    broken.is_away = False

    async def cut_off_once() -> None:
        broken.before_acknowledging = lambda: None
        await cut_off(database)

    broken.before_acknowledging = cut_off_once
    await write(database, "any", [1])

    async with at_work(make_relay(database_url, broken)):
        await wait_until(partial(is_empty, database), what="the message to be removed")

    assert broken.published == ["1", "1"]


async def test_one_relay_is_at_work_and_the_next_takes_over_when_it_stops(
    database_url: str, database: Database, broken: Broken
) -> None:
    broken.is_away = False
    second = Broken()
    second.is_away = False

    async with at_work(make_relay(database_url, second)):
        async with at_work(make_relay(database_url, broken)):
            await write(database, "any", range(5))
            await wait_until(partial(is_empty, database), what="the outbox to be empty")
            assert sorted([len(broken.published), len(second.published)]) == [0, 5]
            assert await holders(database) == 1
        await write(database, "any", [5])
        await wait_until(partial(is_empty, database), what="the sixth message to go")

    assert len(broken.published + second.published) == 6


async def cut_off(database: Database) -> None:
    """End the relay's connection from the server's side, as a restart of PostgreSQL does."""
    ours = "application_name = 'coro-test-relay' and datname = current_database()"
    async with database.autocommit() as connection:
        await connection.execute(text(f"select pg_terminate_backend(pid) from pg_stat_activity where {ours}"))  # noqa: S608 - a constant


async def holders(database: Database) -> int:
    """Return how many connections hold the relay's lock."""
    statement = text(
        "select count(*) from pg_locks where locktype = 'advisory' and granted"
        " and (classid::bigint << 32 | objid::bigint) = :lock and database ="
        " (select oid from pg_database where datname = current_database())"
    )
    async with database.read() as connection:
        return int(await connection.scalar(statement, {"lock": RELAY_LOCK}))
