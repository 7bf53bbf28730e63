"""An internal service emits: what other clients then find on the topic, and what it is told when Kafka is away."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from coro_events.contract.triggers import Trigger
from coro_events.contract.workspaces import WorkspaceCreated
from coro_events.errors import InvalidEvent, PublishError
from coro_events.producer import EventProducer
from coro_events.runtime.kafka import REQUEST_TIMEOUT_MS, STOP_WITHIN_S
from deploy.local.broker import EmbeddedKafka
from deploy.local.ports import free_port, preferred_port
from tests.support import confluent
from tests.support.kafka import Topics, create_topics

COUNT = Trigger.PROTECTED_USERS_COUNT_UPDATED
PARTITIONS = {0, 1, 2}


@pytest.fixture
async def producer(kafka_bootstrap: str, topics: Topics) -> AsyncIterator[EventProducer]:
    async with EventProducer(
        bootstrap_servers=kafka_bootstrap, source="example/billing", topic=topics.events
    ) as producer:
        yield producer


async def test_another_client_reads_a_structured_cloudevent_under_the_workspace(
    kafka_bootstrap: str, topics: Topics, producer: EventProducer
) -> None:
    data = WorkspaceCreated.example()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await producer.emit(
        Trigger.WORKSPACE_CREATED,
        data.id,
        data,
        event_id="order-7",
        occurred_at=datetime(2026, 3, 2, 10, 0, tzinfo=UTC),
        traceparent=trace,
    )
    (record,) = await confluent.read(kafka_bootstrap, topics.events, 1)
    assert record.key == data.id.encode()
    assert record.headers["content-type"].startswith(b"application/cloudevents+json")
    assert json.loads(record.value or b"") == {
        "specversion": "1.0",
        "id": "order-7",
        "source": "example/billing",
        "type": "workspace-created",
        "subject": data.id,
        "time": "2026-03-02T10:00:00Z",
        "datacontenttype": "application/json",
        "traceparent": trace,
        "data": data.model_dump(mode="json", by_alias=True),
    }


async def test_many_events_are_all_there_each_workspace_in_one_partition_and_in_order(
    kafka_bootstrap: str, topics: Topics, producer: EventProducer
) -> None:
    workspaces = [f"workspace_{number}" for number in range(20)]
    events = [
        producer.new_event(COUNT, workspace, {"protectedCount": number})
        for number in range(50)
        for workspace in workspaces
    ]
    assert await producer.emit_many(events) == len(events)
    records = await confluent.read(kafka_bootstrap, topics.events, len(events))
    found = defaultdict(list)
    for record in records:
        found[(record.key or b"").decode(), record.partition].append(json.loads(record.value or b"")["data"])
    assert sorted(workspace for workspace, _ in found) == sorted(workspaces)
    assert {partition for _, partition in found} == PARTITIONS
    assert all([one["protectedCount"] for one in data] == list(range(50)) for data in found.values())


async def test_nothing_is_on_the_topic_when_an_event_breaks_its_schema(
    kafka_bootstrap: str, topics: Topics, producer: EventProducer
) -> None:
    with pytest.raises(InvalidEvent, match="protectedCount"):
        await producer.emit(COUNT, "acme", {"protectedCount": "many"})
    await producer.emit(COUNT, "acme", {"protectedCount": 1}, event_id="proof")
    assert [json.loads(one.value or b"")["id"] for one in await confluent.read(kafka_bootstrap, topics.events, 1)] == [
        "proof"
    ]


async def test_connecting_fails_soon_when_nobody_answers() -> None:
    lonely = EventProducer(bootstrap_servers=f"127.0.0.1:{free_port()}", source="example/billing")
    async with asyncio.timeout(REQUEST_TIMEOUT_MS / 1000):
        with pytest.raises(PublishError, match="Unable to bootstrap"):
            async with lonely:
                pass


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """Start a broker that the test may stop."""
    port = free_port()
    broker = EmbeddedKafka(tmp_path / "kafka", port, preferred_port(free_port(), {port}), brief=True)
    broker.start()
    yield broker
    broker.remove()


async def test_emitting_fails_in_time_and_stopping_ends_when_the_broker_has_gone(own_kafka: EmbeddedKafka) -> None:
    await create_topics(own_kafka.bootstrap, ("coro.events",), partitions=1)
    producer = EventProducer(bootstrap_servers=own_kafka.bootstrap, source="example/billing", acknowledge_within_s=1)
    # The limit of emitting, that of stopping, and what the client takes to notice.
    async with asyncio.timeout(1 + STOP_WITHIN_S + REQUEST_TIMEOUT_MS / 1000):
        async with producer:
            await producer.emit(COUNT, "acme", {"protectedCount": 1})
            own_kafka.stop()
            events = [producer.new_event(COUNT, "acme", {"protectedCount": number}) for number in range(3)]
            with pytest.raises(PublishError, match=r"within 1 s \(3 failed\)"):
                await producer.emit_many(events)
