"""What every `Publisher` promises; the real one is aiokafka's producer on real Kafka."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError

from coro_events.producer import Publisher
from coro_events.runtime.kafka import make_producer
from tests.support import confluent
from tests.support.kafka import Topics
from tests.support.processes import free_port
from tests.support.publisher import FakePublisher

KEY = b"acme"
# The broker takes a mebibyte; the client gives up a record above two by itself.
TOO_LARGE_FOR_THE_BROKER = b"x" * 1_500_000
TOO_LARGE_FOR_THE_CLIENT = b"x" * 3_000_000

Sent = tuple[bytes | None, bytes | None, dict[str, bytes]]


@dataclass
class Place:
    """A topic, who publishes to it, and what came there.

    Attributes:
        make: Makes a publisher; told which sends are refused at once and which by the broker.
        lonely: Makes a publisher that nobody answers.
        arrived: Key, value and headers of what there is, once there are so many.
    """

    topic: str
    make: Callable[..., Publisher]
    lonely: Callable[[], Publisher]
    arrived: Callable[[int], Awaitable[list[Sent]]]


@dataclass
class _Fakes:
    made: list[FakePublisher] = field(default_factory=list)

    def make(self, *, refused: tuple[int, ...] = (), unacknowledged: tuple[int, ...] = ()) -> FakePublisher:
        error = MessageSizeTooLargeError()
        self.made.append(
            FakePublisher(
                refuse_send=dict.fromkeys(refused, error), refuse_acknowledgement=dict.fromkeys(unacknowledged, error)
            )
        )
        return self.made[-1]

    async def arrived(self, count: int) -> list[Sent]:
        sent: list[Sent] = [(key, value, dict(headers)) for one in self.made for _, key, value, headers in one.sent]
        assert len(sent) >= count
        return sent


def _fake_place() -> Place:
    fakes = _Fakes()
    return Place(
        "coro.events", fakes.make, lambda: FakePublisher(refuse_start=KafkaConnectionError("away")), fakes.arrived
    )


def _real_place(bootstrap: str, topics: Topics) -> Place:
    def make(**_: Any) -> Publisher:
        publisher: Publisher = make_producer(bootstrap, client_id="test")
        return publisher

    def lonely() -> Publisher:
        publisher: Publisher = make_producer(f"127.0.0.1:{free_port()}", client_id="test")
        return publisher

    async def arrived(count: int) -> list[Sent]:
        found = await confluent.read(bootstrap, topics.events, count)
        return [(one.key, one.value, one.headers) for one in found]

    return Place(topics.events, make, lonely, arrived)


@pytest.fixture(params=["fake", "real"])
def topics_or_none(request: pytest.FixtureRequest) -> Topics | None:
    return request.getfixturevalue("topics") if request.param == "real" else None


@pytest.fixture
def place(topics_or_none: Topics | None, request: pytest.FixtureRequest) -> Place:
    if topics_or_none is None:
        return _fake_place()
    return _real_place(request.getfixturevalue("kafka_bootstrap"), topics_or_none)


@asynccontextmanager
async def started(publisher: Publisher) -> AsyncIterator[Publisher]:
    await publisher.start()
    try:
        yield publisher
    finally:
        await publisher.stop()


async def test_what_is_acknowledged_is_there_in_the_order_it_was_sent_in(place: Place) -> None:
    async with started(place.make()) as publisher:
        headers = [("content-type", b"text/plain"), ("a", b"b")]
        futures = [await publisher.send(place.topic, b"%d" % n, KEY, headers=headers) for n in range(5)]
        for future in futures:
            await future
        arrived = await place.arrived(5)
    assert arrived == [(KEY, b"%d" % n, dict(headers)) for n in range(5)]


async def test_what_was_sent_and_not_waited_for_is_there_when_it_has_stopped(place: Place) -> None:
    async with started(place.make()) as publisher:
        future = await publisher.send(place.topic, b"last words", KEY, headers=[])
    assert [value for _, value, _ in await place.arrived(1)] == [b"last words"]
    assert future.done()


async def test_everything_is_acknowledged_when_it_is_flushed(place: Place) -> None:
    async with started(place.make()) as publisher:
        futures = [await publisher.send(place.topic, b"%d" % n, KEY, headers=[]) for n in range(5)]
        await publisher.flush()
        assert all(future.done() for future in futures)


async def test_an_acknowledgement_fails_alone_when_the_broker_refuses_a_record(place: Place) -> None:
    async with started(place.make(unacknowledged=(0,))) as publisher:
        refused = await publisher.send(place.topic, TOO_LARGE_FOR_THE_BROKER, KEY, headers=[])
        with pytest.raises(MessageSizeTooLargeError):
            await refused
        await (await publisher.send(place.topic, b"small", KEY, headers=[]))


async def test_sending_fails_at_once_when_the_client_refuses_a_record(place: Place) -> None:
    async with started(place.make(refused=(0,))) as publisher:
        with pytest.raises(MessageSizeTooLargeError):
            await publisher.send(place.topic, TOO_LARGE_FOR_THE_CLIENT, KEY, headers=[])


async def test_headers_are_refused_when_they_are_no_list(place: Place) -> None:
    async with started(place.make()) as publisher:
        pairs: Any = (("a", b"b"),)
        with pytest.raises(TypeError):
            await publisher.send(place.topic, b"x", KEY, headers=pairs)


async def test_starting_fails_and_stopping_does_not_when_nobody_answers(place: Place) -> None:
    publisher = place.lonely()
    with pytest.raises(KafkaConnectionError):
        await publisher.start()
    await publisher.stop()
