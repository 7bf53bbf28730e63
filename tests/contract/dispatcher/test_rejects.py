"""What every adapter of `Rejects` promises; the real one writes to real Kafka."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
from aiokafka import TopicPartition

from coro_events.contract.topics import REJECTED_HEADER_PREFIX, REJECTED_HEADERS
from coro_events.runtime.kafka import make_consumer, make_producer
from services.dispatcher.intake.batch import Rejection
from services.dispatcher.intake.kafka import KafkaRejects
from services.dispatcher.intake.ports import Rejects
from tests.support.clock import FakeClock
from tests.support.dispatching import RawRecord
from tests.support.fakes import FakeRejects
from tests.support.kafka import Topics
from tests.support.waiting import wait_until

Value = tuple[bytes | None, bytes | None]


@dataclass(frozen=True)
class Keeping:
    """A place for rejects, and what tells key and value of all that is there."""

    rejects: Rejects
    kept: Callable[[int], Awaitable[list[Value]]]


@pytest.fixture(params=["fake", "real"])
def topics_or_none(request: pytest.FixtureRequest) -> Topics | None:
    return request.getfixturevalue("topics") if request.param == "real" else None


@pytest.fixture
async def keeping(topics_or_none: Topics | None, request: pytest.FixtureRequest) -> AsyncIterator[Keeping]:
    if topics_or_none is None:
        fake = FakeRejects()

        async def told(_: int) -> list[Value]:
            return [(one.record.key, one.record.value) for one in fake.kept]

        yield Keeping(fake, told)
        return
    bootstrap, topic = request.getfixturevalue("kafka_bootstrap"), topics_or_none.rejected

    async def read(count: int) -> list[Value]:
        return [(one.key, one.value) for one in await records_of(bootstrap, topic, count)]

    real = KafkaRejects(make_producer(bootstrap, client_id="test"), topic=topic, clock=FakeClock())
    await real.start()
    yield Keeping(real, read)
    await real.stop()


async def records_of(bootstrap: str, topic: str, count: int) -> list[RawRecord]:
    """Read so many records of a topic."""
    consumer = make_consumer(bootstrap, client_id="test", group_id=f"{topic}-test", max_records=500)
    found: list[RawRecord] = []
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(3)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)

        async def enough() -> bool:
            for some in (await consumer.getmany(timeout_ms=100)).values():
                found.extend(RawRecord(one.value, list(one.headers), key=one.key) for one in some)
            return len(found) >= count

        await wait_until(enough, what=f"{count} rejected records", limit_s=20)
    finally:
        await consumer.stop()
    return found


# Room is left for our headers, because the broker counts them as well.
LARGEST = b"x" * 1_048_000

ODD_RECORDS = {
    "plain": RawRecord(b"{", [("content-type", b"text/plain")]),
    "no key": RawRecord(b"{", key=None),
    "no value": RawRecord(None),
    "neither key nor value": RawRecord(None, key=None),
    "header without a value": RawRecord(b"{", [("ce_type", None)]),  # type: ignore[list-item] # as clients do send
    "empty header name": RawRecord(b"{", [("", b"x")]),
    "as large as Kafka takes": RawRecord(LARGEST, [("a", b"b" * 200)]),
}


@pytest.mark.parametrize("record", ODD_RECORDS.values(), ids=ODD_RECORDS.keys())
async def test_record_is_kept_as_it_was_whatever_it_is(keeping: Keeping, record: RawRecord) -> None:
    await keeping.rejects.reject([Rejection(record, "value: must be JSON")])
    ((key, value),) = await keeping.kept(1)
    assert value == record.value
    assert key == record.key or (record.key is None and record.value is None)


async def test_several_are_kept(keeping: Keeping) -> None:
    await keeping.rejects.reject(Rejection(RawRecord(b"%d" % number), "no") for number in range(5))
    assert sorted(value or b"" for _, value in await keeping.kept(5)) == [b"%d" % number for number in range(5)]
    await keeping.rejects.reject([])


async def test_place_of_a_record_is_kept_when_it_is_too_large_with_our_headers(
    kafka_bootstrap: str, topics: Topics
) -> None:
    rejects = KafkaRejects(make_producer(kafka_bootstrap, client_id="test"), topic=topics.rejected, clock=FakeClock())
    await rejects.start()
    try:
        await rejects.reject([Rejection(RawRecord(b"x" * 1_048_570), "value: must be JSON")])
        await rejects.reject([Rejection(RawRecord(b"{"), "value: must be JSON")])
    finally:
        await rejects.stop()
    values = [record.value or b"" for record in await records_of(kafka_bootstrap, topics.rejected, 2)]
    assert sorted(values) == [b"", b"{"]


async def test_reason_origin_and_time_stand_in_headers(kafka_bootstrap: str, topics: Topics) -> None:
    producer = make_producer(kafka_bootstrap, client_id="test")
    rejects = KafkaRejects(producer, topic=topics.rejected, clock=FakeClock())
    await rejects.start()
    record = RawRecord(b"{", [("a", b"b")], topic="coro.events", partition=2, offset=17)
    await rejects.reject([Rejection(record, "value: must be JSON")])
    await rejects.stop()
    (kept,) = await records_of(kafka_bootstrap, topics.rejected, 1)
    assert kept.headers == [
        ("a", b"b"),
        ("coro-rejected-reason", b"value: must be JSON"),
        ("coro-rejected-topic", b"coro.events"),
        ("coro-rejected-partition", b"2"),
        ("coro-rejected-offset", b"17"),
        ("coro-rejected-at", b"2026-03-02T10:00:00.000Z"),
    ]
    ours = {name for name, _ in kept.headers if name.startswith(REJECTED_HEADER_PREFIX)}
    assert ours == REJECTED_HEADERS.keys() - {"coro-rejected-value"}
