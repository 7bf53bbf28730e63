"""Kafka through a client that is not ours: what it can write we must read, and what we write it must read."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

Headers = Sequence[tuple[str, bytes]]

LIMIT_S = 20.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """A record as it stands on a topic."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]


async def produce(
    bootstrap: str, topic: str, value: bytes | None, *, key: bytes | None = None, headers: Headers = ()
) -> None:
    """Write one record and return once the broker has it."""
    await asyncio.to_thread(_produce, bootstrap, topic, value, key, list(headers))


async def read_until(
    bootstrap: str, topic: str, enough: Callable[[list[ReadRecord]], bool], *, what: str, limit_s: float = LIMIT_S
) -> list[ReadRecord]:
    """Read a topic from its beginning until there is enough of it.

    Args:
        bootstrap: The broker.
        topic: Must be there.
        enough: Told all that was read so far; those of one partition stand in order.
        what: The end of the sentence "waited … s for".
        limit_s: How long to read, in seconds.

    Raises:
        AssertionError: There was not enough within the limit.
    """
    return await asyncio.to_thread(_read_until, bootstrap, topic, enough, what, limit_s)


async def read(bootstrap: str, topic: str, count: int) -> list[ReadRecord]:
    """Read the first so many records of a topic."""
    return await read_until(bootstrap, topic, lambda found: len(found) >= count, what=f"{count} records in {topic}")


async def partitions_of(bootstrap: str) -> dict[str, int]:
    """Return each topic and how many partitions it has."""

    def look() -> dict[str, int]:
        metadata = AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=LIMIT_S)
        return {name: len(topic.partitions) for name, topic in metadata.topics.items()}

    return await asyncio.to_thread(look)


def _produce(bootstrap: str, topic: str, value: bytes | None, key: bytes | None, headers: Any) -> None:
    failures: list[object] = []

    def told(error: object, _: Message) -> None:
        if error is not None:
            failures.append(error)

    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(topic, value=value, key=key, headers=headers, on_delivery=told)
    left = producer.flush(LIMIT_S)
    assert not failures, failures
    assert not left, f"the broker did not take a record for {topic} within {LIMIT_S:g} s"


def _read_until(
    bootstrap: str, topic: str, enough: Callable[[list[ReadRecord]], bool], what: str, limit_s: float
) -> list[ReadRecord]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "never-committed", "enable.auto.commit": False})
    found: list[ReadRecord] = []
    end_s = time.monotonic() + limit_s
    try:
        partitions = consumer.list_topics(topic, timeout=limit_s).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
        while not enough(found):
            assert time.monotonic() < end_s, f"waited {limit_s:g} s for {what}; there were {found}"
            message = consumer.poll(_POLL_S)
            if message is not None:
                found.append(_record(message))
    finally:
        consumer.close()
    return found


def _record(message: Message) -> ReadRecord:
    if error := message.error():
        raise KafkaException(error)
    partition, offset = message.partition(), message.offset()
    assert partition is not None
    assert offset is not None
    pairs: Any = message.headers() or []
    headers = {str(name): bytes(raw or b"") for name, raw in pairs}
    return ReadRecord(partition, offset, message.key(), message.value(), headers)
