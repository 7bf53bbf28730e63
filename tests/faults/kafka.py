"""The Kafka side of the faults: load that knows what was accepted, members that come and go, what was rejected."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaError

from coro_events.contract.codec import encode
from coro_events.contract.topics import EVENTS, WEBHOOKS
from coro_events.runtime.clock import SystemClock
from coro_events.runtime.kafka import make_producer
from tests.support.load import make_marked_event
from tests.support.stand import Stand
from tests.support.waiting import wait_until

GROUP = "coro-dispatcher"

# Key, value and headers.
Raw = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]


class Load:
    """Marked events at a steady rate.

    Attributes:
        accepted: Numbers of the events that Kafka has acknowledged.
        refused: How many were given up; such an event may have been written nevertheless.
        sent: How many were begun.
    """

    def __init__(self, stand: Stand, first: int) -> None:
        self.accepted: set[int] = set()
        self.refused = 0
        self.sent = 0
        self._stand = stand
        self._numbers = itertools.count(first)
        self._stopping = asyncio.Event()

    @property
    def unanswered(self) -> int:
        """How many events Kafka has neither acknowledged nor refused yet."""
        return self.sent - len(self.accepted) - self.refused

    async def run(self, rate_per_s: float) -> None:
        """Send until stopped; return when each event is accepted or refused."""
        producer = make_producer(self._stand.kafka_bootstrap, client_id="faults", linger_ms=5)
        await producer.start()
        clock = SystemClock()
        started = clock.monotonic()
        try:
            async with asyncio.TaskGroup() as group:
                while not self._stopping.is_set():
                    due = int((clock.monotonic() - started) * rate_per_s)
                    for number in itertools.islice(self._numbers, due - self.sent):
                        group.create_task(self._send(producer, number))
                    self.sent = due
                    await clock.sleep(0.01)
        finally:
            await producer.stop()

    async def _send(self, producer: AIOKafkaProducer, number: int) -> None:
        key, value, headers = encode(make_marked_event(number))
        try:
            await producer.send_and_wait(self._stand.topic(EVENTS), value, key, headers=headers)
        except KafkaError:
            self.refused += 1
        else:
            self.accepted.add(number)

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping.set()

    async def grown(self, events: int, *, limit_s: float = 60) -> None:
        """Wait until so many more events are accepted."""
        goal = len(self.accepted) + events
        await wait_until(lambda: len(self.accepted) >= goal, what=f"{events} more accepted events", limit_s=limit_s)


@asynccontextmanager
async def under_load(stand: Stand, *, rate_per_s: float, first: int = 0) -> AsyncIterator[Load]:
    """Send at a steady rate for the block; at its end each event is accepted or refused."""
    load = Load(stand, first)
    running = asyncio.create_task(load.run(rate_per_s))
    try:
        yield load
    finally:
        load.stop()
        await running


async def join_and_leave(stand: Stand) -> None:
    """Be a member of the dispatchers' group just long enough to be given partitions, and do nothing with them."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=stand.kafka_bootstrap,
        client_id=f"passer-by-{uuid4().hex[:8]}",
        group_id=stand.topic(GROUP),
        enable_auto_commit=False,
        heartbeat_interval_ms=100,
    )
    await consumer.start()
    try:
        consumer.subscribe([stand.topic(EVENTS), stand.topic(WEBHOOKS)])
        await wait_until(consumer.assignment, what="the passer-by to be given partitions", limit_s=30)
    finally:
        await consumer.stop()


async def send_raw(stand: Stand, records: Sequence[Raw]) -> None:
    """Send key, value and headers as they are; return when all are acknowledged."""
    producer = make_producer(stand.kafka_bootstrap, client_id="faults", linger_ms=5)
    await producer.start()
    try:
        waiting = [
            await producer.send(stand.topic(EVENTS), value, key, headers=headers) for key, value, headers in records
        ]
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()


async def read_topic(stand: Stand, name: str, count: int, *, limit_s: float = 30) -> list[ConsumerRecord]:
    """Return what a topic holds, once there are so many records, and what else comes soon after."""
    consumer = AIOKafkaConsumer(
        stand.topic(name),
        bootstrap_servers=stand.kafka_bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    found: list[ConsumerRecord] = []

    async def more() -> bool:
        batches = await consumer.getmany(timeout_ms=500)
        found.extend(itertools.chain.from_iterable(batches.values()))
        return len(found) >= count and not batches

    await consumer.start()
    try:
        await wait_until(more, what=f"{count} records in {name}", limit_s=limit_s)
    finally:
        await consumer.stop()
    return found
