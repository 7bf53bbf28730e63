"""Makers of Kafka producers and consumers with the settings that this product relies on, and a producer's end."""

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

REQUEST_TIMEOUT_MS = 10_000
# The shortest that brokers allow by default: for so long a dead replica's partitions wait.
SESSION_TIMEOUT_MS = 6_000
HEARTBEAT_INTERVAL_MS = 1_500
METADATA_MAX_AGE_MS = 30_000
STOP_WITHIN_S = 5.0


def make_producer(bootstrap_servers: str, *, client_id: str, linger_ms: int = 0) -> AIOKafkaProducer:
    """Make an idempotent producer that waits for all in-sync replicas; not started."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers,
        client_id=client_id,
        acks="all",
        enable_idempotence=True,
        linger_ms=linger_ms,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        max_request_size=2 * 1024 * 1024,
    )


async def stop_producer(producer: AIOKafkaProducer, *, within_s: float = STOP_WITHIN_S) -> None:
    """Send what is buffered and disconnect; what is not acknowledged within the limit is given up.

    An idempotent producer tries for ever, and its own stop waits as long: a process could not end while Kafka is away.
    """
    try:
        async with asyncio.timeout(within_s):
            await producer.flush()
    except TimeoutError:
        # The client has no public way to give up: its sender is ended first, then what it would have sent again.
        await producer._sender.close()  # noqa: SLF001 - see above
        producer._message_accumulator._batches.clear()  # noqa: SLF001 - see above
    await producer.stop()


def make_consumer(bootstrap_servers: str, *, client_id: str, group_id: str, max_records: int) -> AIOKafkaConsumer:
    """Make a consumer in a group that commits nothing by itself; not started, subscribed to nothing."""
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers,
        client_id=client_id,
        group_id=group_id,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_poll_records=max_records,
        session_timeout_ms=SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=HEARTBEAT_INTERVAL_MS,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        # How soon new partitions of a topic are noticed.
        metadata_max_age_ms=METADATA_MAX_AGE_MS,
        # A record is at the receiver within milliseconds or not at all: never wait for a fuller fetch.
        fetch_min_bytes=1,
        fetch_max_wait_ms=500,
    )
