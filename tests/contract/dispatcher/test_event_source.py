"""What every adapter of `EventSource` promises; the real one reads real Kafka."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from coro_events.runtime.clock import SystemClock
from coro_events.runtime.kafka import make_consumer, make_producer
from services.dispatcher.intake.batch import Record, Span
from services.dispatcher.intake.kafka import KafkaSource
from services.dispatcher.intake.ports import ConsumedOffsets, EventSource, Offsets
from tests.support.clock import FakeClock
from tests.support.dispatching import RawRecord
from tests.support.fakes import FakeOffsets, FakeSource, FakeStore
from tests.support.kafka import Topics
from tests.support.waiting import let_others_run, wait_until

BATCH = 4


@dataclass(frozen=True)
class Reading:
    """A source of one partition's records, and what else a test needs."""

    source: EventSource
    offsets: ConsumedOffsets
    topic: str
    # Writes one value to the partition.
    write: Callable[[bytes], Awaitable[None]]
    # Connects the source; what it reads first depends on what is there by then.
    start: Callable[[], Awaitable[None]]


@pytest.fixture(params=["fake", "real"])
def topics_or_none(request: pytest.FixtureRequest) -> Topics | None:
    return request.getfixturevalue("topics") if request.param == "real" else None


@pytest.fixture
async def reading(
    topics_or_none: Topics | None, request: pytest.FixtureRequest, clock: FakeClock
) -> AsyncIterator[Reading]:
    offsets = FakeOffsets(FakeStore(clock))
    if topics_or_none is None:
        fake = FakeSource(offsets, batch_records=BATCH)

        async def append(value: bytes) -> None:
            fake.log.append(RawRecord(value))

        yield Reading(fake, offsets, "coro.events", append, let_others_run)
        return
    bootstrap, names = request.getfixturevalue("kafka_bootstrap"), topics_or_none
    producer = make_producer(bootstrap, client_id="test")
    await producer.start()

    async def produce(value: bytes) -> None:
        await producer.send_and_wait(names.events, value=value, key=b"acme", partition=0)

    real = KafkaSource(
        consumer=make_consumer(bootstrap, client_id="test", group_id=names.prefix, max_records=BATCH),
        topics=[names.events],
        offsets=offsets,
        clock=SystemClock(),
        batch_records=BATCH,
    )
    yield Reading(real, offsets, names.events, produce, real.start)
    await real.stop()
    await producer.stop()


async def read(reading: Reading, count: int) -> tuple[list[Record], list[Span]]:
    """Read until so many records came; every span must go on where the last one ended."""
    records: list[Record] = []
    spans: list[Span] = []

    async def enough() -> bool:
        batch = await reading.source.fetch()
        assert len(batch.records) <= BATCH
        assert len(batch.records) == sum(span.next_offset - span.first_offset for span in batch.spans)
        records.extend(batch.records)
        spans.extend(batch.spans)
        return len(records) >= count

    await wait_until(enough, what=f"{count} records", limit_s=20)
    return records, spans


async def test_records_come_in_order_and_their_spans_join(reading: Reading) -> None:
    values = [b"%d" % number for number in range(10)]
    for value in values:
        await reading.write(value)
    await reading.start()
    records, spans = await read(reading, 10)
    assert [record.value for record in records] == values
    assert {(span.topic, span.partition) for span in spans} == {(reading.topic, 0)}
    ends = [0, *(span.next_offset for span in spans)]
    assert [span.first_offset for span in spans] == ends[:-1]
    assert ends[-1] == 10


async def test_batch_tells_that_there_is_more_when_it_is_as_long_as_it_may_be(reading: Reading) -> None:
    for number in range(BATCH + 1):
        await reading.write(b"%d" % number)
    await reading.start()
    told: list[tuple[int, bool]] = []

    async def all_read() -> bool:
        batch = await reading.source.fetch()
        told.append((len(batch.records), batch.is_full))
        return sum(count for count, _ in told) > BATCH

    await wait_until(all_read, what="all records", limit_s=20)
    assert [is_full for _, is_full in told] == [count == BATCH for count, _ in told]
    assert (BATCH, True) in told


async def test_batch_is_empty_when_there_is_nothing_to_read(reading: Reading) -> None:
    await reading.start()
    batch = await reading.source.fetch()
    assert (list(batch.records), list(batch.spans)) == ([], [])


async def test_reading_begins_where_the_offsets_say(reading: Reading) -> None:
    await reading.offsets.load({(reading.topic, 0): 3})
    for number in range(5):
        await reading.write(b"%d" % number)
    await reading.start()
    records, spans = await read(reading, 2)
    assert [record.value for record in records] == [b"3", b"4"]
    assert spans[0].first_offset == 3


async def test_reading_goes_on_where_the_offsets_say_when_it_is_repositioned(reading: Reading) -> None:
    for number in range(4):
        await reading.write(b"%d" % number)
    await reading.start()
    await read(reading, 4)
    await reading.offsets.rewind({(reading.topic, 0): 2})
    await reading.source.reposition()
    records, spans = await read(reading, 2)
    assert [record.value for record in records] == [b"2", b"3"]
    assert spans[0].first_offset == 2


async def test_telling_lag_tools_changes_nothing(reading: Reading) -> None:
    await reading.start()
    await reading.write(b"0")
    _, spans = await read(reading, 1)
    reading.source.planned(spans)
    reading.source.planned(spans)
    await reading.write(b"1")
    records, _ = await read(reading, 1)
    assert [record.value for record in records] == [b"1"]


class Meddling:
    """Offsets during whose look-up something else happens, once it is set."""

    def __init__(self, offsets: ConsumedOffsets) -> None:
        self._offsets = offsets
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def load(self, starts: Offsets) -> Offsets:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        return await self._offsets.load(starts)

    async def rewind(self, starts: Offsets) -> None:
        await self._offsets.rewind(starts)


async def test_partition_is_left_alone_when_the_group_takes_it_while_the_source_finds_its_place(
    topics: Topics, kafka_bootstrap: str, clock: FakeClock
) -> None:
    offsets = Meddling(FakeOffsets(FakeStore(clock)))

    def another() -> KafkaSource:
        return KafkaSource(
            consumer=make_consumer(kafka_bootstrap, client_id="test", group_id=topics.prefix, max_records=BATCH),
            topics=[topics.events, topics.webhooks],
            offsets=offsets,
            clock=SystemClock(),
            batch_records=BATCH,
        )

    first, second = another(), another()
    await first.start()
    await wait_until(lambda: first.partitions, what="the first to hold partitions")
    held = first.partitions

    async def share() -> None:
        await second.start()
        await wait_until(lambda: 0 < second.partitions < held, what="the second to hold some of them")

    offsets.meanwhile = share
    await first.reposition()
    assert first.partitions + second.partitions == held
    await second.stop()
    await first.stop()
