"""What an internal service uses to emit events: checked before they leave, acknowledged before it goes on."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from aiokafka.errors import IllegalOperation, KafkaError
from pydantic import BaseModel

from coro_events.contract.codec import encode, new_event
from coro_events.contract.envelope import Event
from coro_events.contract.topics import EVENTS
from coro_events.contract.triggers import Trigger
from coro_events.errors import PublishError
from coro_events.runtime.clock import Clock, SystemClock
from coro_events.runtime.kafka import make_producer, stop_producer

# The client itself never gives a record up, because it could not go on in sequence without it.
ACKNOWLEDGE_WITHIN_S = 30.0

# IllegalOperation is the one error of the client that does not come from its own tree.
_FOREIGN = (KafkaError, IllegalOperation, OSError, TimeoutError)


class Publisher(Protocol):
    """The part of a Kafka producer that is needed here; the real one is aiokafka's."""

    async def start(self) -> None:
        """Connect."""
        ...

    async def flush(self) -> None:
        """Wait until everything that is buffered is acknowledged or refused."""
        ...

    async def stop(self) -> None:
        """Send what is buffered and disconnect."""
        ...

    async def send(
        self, topic: str, value: bytes, key: bytes, *, headers: list[tuple[str, bytes]]
    ) -> asyncio.Future[object]:
        """Buffer one record; the future is its acknowledgement."""
        ...


class EventProducer:
    """Emits events to `coro.events`, keyed by workspace, in order within a workspace.

    Sending is idempotent: a retry inside the client makes no second record. A service that emits the same event again
    with the same `event_id` makes no second delivery either.

        async with EventProducer(bootstrap_servers="kafka:9092", source="billing") as producer:
            await producer.emit(Trigger.WORKSPACE_CREATED, workspace_id, WorkspaceCreated(...))

    Args:
        bootstrap_servers: Brokers, `host:port`, comma separated.
        source: The emitting service, the CloudEvents `source`.
        clock: Gives the time of events that bring none.
        topic: Where to, if not `coro.events`.
        publisher: Takes the place of a Kafka producer of its own.
        acknowledge_within_s: How long Kafka may take to acknowledge what one call sends, in seconds.
    """

    def __init__(
        self,
        *,
        bootstrap_servers: str,
        source: str,
        clock: Clock | None = None,
        topic: str = EVENTS,
        publisher: Publisher | None = None,
        acknowledge_within_s: float = ACKNOWLEDGE_WITHIN_S,
    ) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._source = source
        self._clock: Clock = clock or SystemClock()
        self._topic = topic
        self._given = publisher
        self._acknowledge_within_s = acknowledge_within_s
        self._publisher: Publisher | None = None

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            PublishError: No broker answers.
        """
        publisher = self._given or make_producer(self._bootstrap_servers, client_id=self._source)
        try:
            await publisher.start()
        except _FOREIGN as error:
            await stop_producer(publisher)
            raise PublishError(_why(error)) from error
        self._publisher = publisher
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect; what is still buffered is sent first, or given up if Kafka is away."""
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            await stop_producer(publisher)

    def new_event(
        self,
        trigger: Trigger,
        workspace_id: str,
        data: BaseModel | Mapping[str, object],
        *,
        event_id: str | None = None,
        occurred_at: datetime | None = None,
        traceparent: str | None = None,
    ) -> Event:
        """Return a checked event of this service, without sending it.

        Raises:
            InvalidEvent: It breaks the contract.
        """
        return new_event(
            trigger,
            workspace_id,
            data,
            source=self._source,
            source_id=event_id,
            occurred_at=occurred_at or self._clock.now(),
            traceparent=traceparent,
        )

    async def emit(
        self,
        trigger: Trigger,
        workspace_id: str,
        data: BaseModel | Mapping[str, object],
        *,
        event_id: str | None = None,
        occurred_at: datetime | None = None,
        traceparent: str | None = None,
    ) -> Event:
        """Check and send one event; return it once all in-sync replicas have it.

        Args:
            trigger: What happened.
            workspace_id: Where it happened.
            data: The trigger's model, or a mapping with the names of the wire.
            event_id: The service's own name for the event; a random one if left out.
            occurred_at: When it happened, aware; now if left out.
            traceparent: The W3C trace context it belongs to.

        Raises:
            InvalidEvent: It breaks the contract; nothing was sent.
            PublishError: Kafka did not acknowledge it in time; it may or may not have arrived, or arrive yet.
        """
        event = self.new_event(
            trigger, workspace_id, data, event_id=event_id, occurred_at=occurred_at, traceparent=traceparent
        )
        await self.emit_many([event])
        return event

    async def emit_many(self, events: Iterable[Event]) -> int:
        """Send events, those of one workspace in the given order; return how many were acknowledged, which is all.

        Raises:
            PublishError: Kafka did not acknowledge some; the detail tells how many. Sending all of them again is safe.
        """
        if self._publisher is None:
            raise PublishError("the producer is not started; use it with `async with`")
        acknowledgements: list[asyncio.Future[object]] = []
        failures: list[BaseException] = []
        for event in events:
            key, value, headers = encode(event)
            try:
                acknowledgements.append(await self._publisher.send(self._topic, value, key, headers=headers))
            except _FOREIGN as error:
                # Going on would let a later event of the workspace overtake this one.
                failures.append(error)
                break
        failures.extend(await self._failures(acknowledgements))
        if failures:
            raise PublishError(f"{_why(failures[0])} ({len(failures)} failed)") from failures[0]
        return len(acknowledgements)

    async def _failures(self, acknowledgements: list[asyncio.Future[object]]) -> list[BaseException]:
        """Wait for acknowledgements and return why some did not come."""
        if not acknowledgements:
            return []
        done, late = await asyncio.wait(acknowledgements, timeout=self._acknowledge_within_s)
        for acknowledgement in late:
            acknowledgement.cancel()
        failures = [error for one in done if (error := one.exception()) is not None]
        unheard = f"no acknowledgement within {self._acknowledge_within_s:g} s"
        return failures + [TimeoutError(unheard) for _ in late]


def _why(error: BaseException) -> str:
    return str(error) or type(error).__name__
