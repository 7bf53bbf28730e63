"""Publishes to Kafka with the idempotent producer, which keeps the order within a partition over its own retries."""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from coro_events.contract.cloudevents import STRUCTURED_HEADERS
from coro_events.errors import PublishError
from coro_events.runtime.kafka import stop_producer
from services.api.publish.ports import OutboxMessage

ACKNOWLEDGE_WITHIN_S = 30.0
CLOSE_WITHIN_S = 5.0

MakeProducer = Callable[[], AIOKafkaProducer]

_ERRORS = (KafkaError, OSError, TimeoutError)


class KafkaPublisher:
    """Connects at the first message; after any error it starts over with a fresh producer."""

    def __init__(self, make_producer: MakeProducer, *, topic_prefix: str = "") -> None:
        self._topic_prefix = topic_prefix
        self._make_producer = make_producer
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, messages: Sequence[OutboxMessage]) -> None:
        """Publish in order and wait for every acknowledgement.

        Raises:
            PublishError: Not all were acknowledged.
        """
        try:
            async with asyncio.timeout(ACKNOWLEDGE_WITHIN_S):
                producer = await self._started()
                # Handed over one after the other, which is what keeps them in order; then awaited together.
                sent = [
                    await producer.send(self._topic_prefix + message.topic, **_record(message)) for message in messages
                ]
                await asyncio.gather(*sent)
        except _ERRORS as error:
            # A producer that has given a message up cannot go on in sequence.
            await self.close()
            raise PublishError(type(error).__name__) from error

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = self._make_producer()
            # Kept before it is started: one that fails to start holds connections, too.
            self._producer = producer
            await producer.start()
        return self._producer

    async def close(self) -> None:
        """Let go of Kafka."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(*_ERRORS):
                await stop_producer(producer, within_s=CLOSE_WITHIN_S)


def _record(message: OutboxMessage) -> dict[str, object]:
    return {
        "value": json.dumps(message.message, separators=(",", ":"), ensure_ascii=False).encode(),
        "key": message.key.encode() or None,
        "headers": list(STRUCTURED_HEADERS),
    }
