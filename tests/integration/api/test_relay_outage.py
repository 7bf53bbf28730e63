"""The relay through an outage of a real Kafka: order kept, memory bounded, length and age told."""

import asyncio
import gc
import json
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from coro_events.runtime.kafka import make_producer
from coro_events.store.unit import Database
from deploy.local.broker import EmbeddedKafka
from deploy.local.ports import free_port, preferred_port
from services.api.metrics import Metrics
from services.api.publish.kafka import KafkaPublisher
from services.api.publish.ports import OutboxMessage
from services.api.publish.relay import BATCH_MESSAGES
from tests.integration.api.test_relay import Broken, at_work, is_empty, make_relay, read, write
from tests.support.clock import FakeClock
from tests.support.kafka import create_topics
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

TOPIC = "coro.webhooks"
TIMEOUT_S = 120
MINUTE_S = 60
# Far below what one object a message and try would leave; the driver's own caches may still fill up.
MAY_GROW_OBJECTS = 5_000


class Watched:
    """A publisher that tells how much it was given at once, and how often."""

    def __init__(self, publisher: KafkaPublisher) -> None:
        self.publisher = publisher
        self.tries = 0
        self.most = 0

    async def publish(self, messages: list[OutboxMessage]) -> None:
        self.tries += 1
        self.most = max(self.most, len(messages))
        await self.publisher.publish(messages)

    async def close(self) -> None:
        """Let go of Kafka."""
        await self.publisher.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """Start a broker of this test alone."""
    port = free_port()
    broker = EmbeddedKafka(tmp_path, port, preferred_port(free_port(), {port}), brief=True)
    broker.start()
    yield broker
    broker.remove()


def value_of(metrics: Metrics, name: str) -> float:
    """Return what a gauge stands at."""
    value = metrics.registry.get_sample_value(name)
    assert value is not None
    return value


@pytest.mark.timeout(TIMEOUT_S)
async def test_order_is_kept_and_memory_is_bounded_when_kafka_stops_and_starts(
    database_url: str, database: Database, broker: EmbeddedKafka
) -> None:
    await create_topics(broker.bootstrap, (TOPIC,), partitions=1)
    watched = Watched(KafkaPublisher(partial(make_producer, broker.bootstrap, client_id="test-relay")))
    metrics = Metrics(CollectorRegistry())
    backlog = 5 * BATCH_MESSAGES

    async with at_work(make_relay(database_url, watched, metrics=metrics)):
        await write(database, TOPIC, range(10))
        await wait_until(partial(is_empty, database), what="the first messages to go", limit_s=30)
        await asyncio.to_thread(broker.stop)
        await write(database, TOPIC, range(10, 10 + backlog))
        tries, tasks = watched.tries, len(asyncio.all_tasks())
        await wait_until(lambda: watched.tries >= tries + 2, what="two tries without Kafka", limit_s=90)
        assert value_of(metrics, "coro_api_outbox_messages") == backlog
        assert value_of(metrics, "coro_api_outbox_oldest_age_seconds") > 0
        assert len(asyncio.all_tasks()) < tasks + 20
        broker.launch()
        await asyncio.to_thread(broker.await_ready)
        await wait_until(partial(is_empty, database), what="the backlog to go", limit_s=60)
        await wait_until(lambda: value_of(metrics, "coro_api_outbox_messages") == 0, what="the length to be told")

    assert watched.most == BATCH_MESSAGES
    seen = ids_of(await read(broker.bootstrap, TOPIC, 10 + backlog))
    assert list(dict.fromkeys(seen)) == list(range(10 + backlog))
    # A batch may come twice, and then from its beginning.
    assert all(later - earlier <= 1 for earlier, later in pairwise(seen))


@pytest.mark.timeout(TIMEOUT_S)
async def test_hour_without_kafka_leaves_nothing_behind_in_the_process(database_url: str, database: Database) -> None:
    away = Away()
    clock = FakeClock(auto_advance=True)
    backlog = 3 * BATCH_MESSAGES
    await write(database, TOPIC, range(backlog))

    async with at_work(make_relay(database_url, away, clock=clock)):
        # After five minutes all that is made once is made.
        await wait_until(lambda: clock.monotonic() > 1_000 + MINUTE_S * 5, what="five minutes to pass", limit_s=60)
        tasks = len(asyncio.all_tasks())
        begun = living()
        await wait_until(lambda: clock.monotonic() > 1_000 + MINUTE_S * 65, what="an hour to pass", limit_s=100)
        assert len(asyncio.all_tasks()) <= tasks + 2
        assert living() < begun + MAY_GROW_OBJECTS
        away.is_away = False
        await wait_until(partial(is_empty, database), what="the backlog to go")

    assert away.published == [str(number) for number in range(backlog)]


def living() -> int:
    """Return how many objects there are that may hold others."""
    gc.collect()
    return len(gc.get_objects())


class Away(Broken):
    """A Kafka that is away, given no more than a batch at once."""

    async def publish(self, messages: Sequence[OutboxMessage]) -> None:
        assert len(messages) <= BATCH_MESSAGES
        await super().publish(messages)


def ids_of(records: list[Any]) -> list[int]:
    """Return the ids of messages, as they stand in the topic."""
    return [int(json.loads(record.value)["id"]) for record in records]
