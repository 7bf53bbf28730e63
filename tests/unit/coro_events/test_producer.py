"""What a producer lets out, and what it says when Kafka does not take it."""

import json
from datetime import UTC, datetime

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, MessageSizeTooLargeError

from coro_events.contract.codec import decode
from coro_events.contract.protection import ProtectedUsersCountUpdated
from coro_events.contract.triggers import Trigger
from coro_events.errors import InvalidEvent, PublishError
from coro_events.producer import EventProducer
from tests.support.clock import START, FakeClock
from tests.support.publisher import FakePublisher

COUNT = Trigger.PROTECTED_USERS_COUNT_UPDATED
WORKSPACE = "exampletradecom_7K2P_b"


def make_producer(publisher: FakePublisher) -> EventProducer:
    return EventProducer(
        bootstrap_servers="unused:9092", source="example/billing", clock=FakeClock(), publisher=publisher
    )


async def test_an_emitted_event_is_on_its_topic_under_its_workspace() -> None:
    publisher = FakePublisher()
    async with make_producer(publisher) as producer:
        event = await producer.emit(COUNT, WORKSPACE, ProtectedUsersCountUpdated(protected_count=3))
    [(topic, key, value, headers)] = publisher.sent
    assert (topic, key) == ("coro.events", WORKSPACE.encode())
    assert decode(value, headers, datetime(2000, 1, 1, tzinfo=UTC)) == event
    assert event.occurred_at == START
    assert publisher.calls == ["start", "stop"]


async def test_id_and_time_are_the_services_own_when_it_gives_them() -> None:
    publisher = FakePublisher()
    occurred_at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    async with make_producer(publisher) as producer:
        await producer.emit(COUNT, WORKSPACE, {"protectedCount": 3}, event_id="invoice-7", occurred_at=occurred_at)
    record = json.loads(publisher.sent[0][2])
    assert (record["id"], record["time"]) == ("invoice-7", "2026-01-02T03:04:05Z")


async def test_nothing_is_sent_when_the_data_breaks_its_schema() -> None:
    publisher = FakePublisher()
    async with make_producer(publisher) as producer:
        with pytest.raises(InvalidEvent, match="protectedCount"):
            await producer.emit(COUNT, WORKSPACE, {"protectedCount": -3})
    assert publisher.sent == []


async def test_many_events_keep_their_order() -> None:
    publisher = FakePublisher()
    async with make_producer(publisher) as producer:
        events = [producer.new_event(COUNT, WORKSPACE, {"protectedCount": n}, event_id=str(n)) for n in range(5)]
        assert await producer.emit_many(events) == 5
    assert [json.loads(value)["id"] for _, _, value, _ in publisher.sent] == ["0", "1", "2", "3", "4"]


async def test_publishing_fails_when_an_acknowledgement_does() -> None:
    publisher = FakePublisher(refuse_acknowledgement={1: MessageSizeTooLargeError()})
    async with make_producer(publisher) as producer:
        events = [producer.new_event(COUNT, WORKSPACE, {"protectedCount": n}) for n in range(3)]
        with pytest.raises(PublishError, match=r"MessageSizeTooLargeError.*\(1 failed\)"):
            await producer.emit_many(events)


async def test_no_later_event_overtakes_one_that_was_not_taken() -> None:
    publisher = FakePublisher(refuse_send={1: KafkaTimeoutError()})
    async with make_producer(publisher) as producer:
        events = [producer.new_event(COUNT, WORKSPACE, {"protectedCount": n}) for n in range(3)]
        with pytest.raises(PublishError, match="KafkaTimeoutError"):
            await producer.emit_many(events)
    assert len(publisher.sent) == 1


async def test_starting_fails_clearly_when_no_broker_answers() -> None:
    publisher = FakePublisher(refuse_start=KafkaConnectionError("nobody there"))
    with pytest.raises(PublishError, match="nobody there"):
        async with make_producer(publisher):
            pass
    assert publisher.calls == ["start", "stop"]


async def test_emitting_fails_clearly_when_the_producer_was_not_started() -> None:
    producer = make_producer(FakePublisher())
    with pytest.raises(PublishError, match="not started"):
        await producer.emit(COUNT, WORKSPACE, {"protectedCount": 3})
