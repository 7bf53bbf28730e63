"""What the source of events tells and does in its consumer group, beyond the promises of its port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer

from coro_events.runtime.clock import SystemClock
from coro_events.runtime.kafka import HEARTBEAT_INTERVAL_MS, make_producer
from services.dispatcher.intake.kafka import KafkaSource
from tests.support.clock import FakeClock
from tests.support.fakes import FakeOffsets, FakeStore
from tests.support.kafka import Topics
from tests.support.waiting import wait_until

BATCH = 4
# So long that nobody who waits for a session to end passes for somebody who was told.
SESSION_S = 120
TOLD_WITHIN_S = 30


@asynccontextmanager
async def reader(bootstrap: str, topics: Topics, offsets: FakeOffsets) -> AsyncIterator[KafkaSource]:
    """Join the group of the topics for the block."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=topics.prefix,
        enable_auto_commit=False,
        max_poll_records=BATCH,
        session_timeout_ms=SESSION_S * 1000,
        heartbeat_interval_ms=HEARTBEAT_INTERVAL_MS,
    )
    source = KafkaSource(
        consumer=consumer, topics=[topics.events], offsets=offsets, clock=SystemClock(), batch_records=BATCH
    )
    await source.start()
    try:
        yield source
    finally:
        await source.stop()


async def test_lag_is_what_is_not_read_yet(topics: Topics, kafka_bootstrap: str, clock: FakeClock) -> None:
    producer = make_producer(kafka_bootstrap, client_id="test")
    await producer.start()
    for number in range(BATCH + 3):
        await producer.send_and_wait(topics.events, value=b"%d" % number, partition=0)
    await producer.stop()
    async with reader(kafka_bootstrap, topics, FakeOffsets(FakeStore(clock))) as source:
        for left in (3, 0):

            async def is_read() -> bool:
                return bool((await source.fetch()).records)

            await wait_until(is_read, what="records", limit_s=TOLD_WITHIN_S)
            assert source.lag() == left


async def test_others_get_the_partitions_at_once_when_one_stops(
    topics: Topics, kafka_bootstrap: str, clock: FakeClock
) -> None:
    offsets = FakeOffsets(FakeStore(clock))
    async with reader(kafka_bootstrap, topics, offsets) as staying:
        await wait_until(lambda: staying.partitions == 3, what="the partitions", limit_s=TOLD_WITHIN_S)
        async with reader(kafka_bootstrap, topics, offsets) as leaving:
            await wait_until(
                lambda: leaving.partitions > 0 and staying.partitions + leaving.partitions == 3,
                what="the partitions to be shared",
                limit_s=TOLD_WITHIN_S,
            )
        await wait_until(
            lambda: staying.partitions == 3, what="the partitions of the one that stopped", limit_s=TOLD_WITHIN_S
        )
