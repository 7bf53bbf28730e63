"""Kafka as the source of events: partitions by group, offsets by our own table, rejects by topic."""

import asyncio
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError, MessageSizeTooLargeError

from coro_events.contract.topics import REJECTED_HEADER_PREFIX
from coro_events.errors import BrokerUnavailableError, PublishError, StoreUnavailableError
from coro_events.runtime.clock import Clock
from coro_events.runtime.kafka import stop_producer
from coro_events.runtime.logs import get_logger
from coro_events.runtime.retrying import until_it_works
from services.dispatcher.intake.batch import Batch, Rejection, Span
from services.dispatcher.intake.ports import ConsumedOffsets

_log = get_logger("intake")

# How long an empty fetch waits; also how soon a stop is noticed.
FETCH_WAIT_MS = 200

# Lag tools look every few seconds; a commit per batch would cost a round trip each.
COMMIT_INTERVAL_S = 1.0


class KafkaSource(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka is untyped
    """Reads the partitions that the group gives this replica, from where the table says."""

    def __init__(
        self,
        *,
        consumer: AIOKafkaConsumer,
        topics: Sequence[str],
        offsets: ConsumedOffsets,
        clock: Clock,
        batch_records: int,
    ) -> None:
        self._consumer = consumer
        self._topics = topics
        self._offsets = offsets
        self._clock = clock
        self._batch_records = batch_records
        # Where the next record of a partition is expected: what a span begins with.
        self._next: dict[TopicPartition, int] = {}
        self._uncommitted: dict[TopicPartition, int] = {}
        self._committed_at = 0.0
        self._committing: asyncio.Task[None] | None = None
        self._started = False
        self.rebalances = 0

    async def start(self) -> None:
        """Join the group; may be called again after a failure.

        Raises:
            BrokerUnavailableError: Kafka cannot be reached, or does not know the topics yet. Subscribed to a topic that
                is not there, a consumer would be given nothing and would not look again for minutes.
        """
        try:
            if not self._started:
                await self._consumer.start()
                self._started = True
            missing = set(self._topics) - await self._consumer.topics()
        except KafkaError as error:
            raise BrokerUnavailableError(type(error).__name__) from error
        if missing:
            raise BrokerUnavailableError(f"it has no topic {', '.join(sorted(missing))}; create the topics first")
        self._consumer.subscribe(list(self._topics), listener=self)

    async def stop(self) -> None:
        """Leave the group, so that others need not wait for our session to end."""
        if self._committing is not None:
            await asyncio.wait([self._committing])
        await self._commit()
        await self._consumer.stop()

    async def look(self) -> None:
        """Ask Kafka for its topics, to see whether it answers.

        Raises:
            BrokerUnavailableError: It does not.
        """
        try:
            await self._consumer.topics()
        except KafkaError as error:
            raise BrokerUnavailableError(type(error).__name__) from error

    @property
    def partitions(self) -> int:
        """How many partitions this replica holds."""
        return len(self._next)

    def lag(self) -> int:
        """Return how many records of our partitions are not read yet, as far as the broker told."""
        behind = 0
        for partition, position in self._next.items():
            try:
                highwater = self._consumer.highwater(partition)
            except IllegalStateError:
                continue
            behind += max(0, (highwater or 0) - position)
        return behind

    async def fetch(self, limit: int | None = None) -> Batch:
        """Return the next records, or an empty batch after a short while.

        Args:
            limit: How many at the most, where that is fewer than the source would bring.

        Raises:
            BrokerUnavailableError: Kafka cannot be read; what was read before stays valid.
        """
        try:
            most = self._batch_records if limit is None else min(limit, self._batch_records)
            found = await self._consumer.getmany(timeout_ms=FETCH_WAIT_MS, max_records=most)
        except KafkaError as error:
            raise BrokerUnavailableError(type(error).__name__) from error
        records, spans = [], []
        for partition, some in found.items():
            first = self._next.get(partition)
            if first is None or not some:
                continue
            spans.append(Span(partition.topic, partition.partition, first, some[-1].offset + 1))
            self._next[partition] = some[-1].offset + 1
            records.extend(some)
        return Batch(records=records, spans=spans, is_full=len(records) >= most)

    async def reposition(self) -> None:
        """Go on from where the table says in every partition we hold."""
        await self._seek(self._consumer.assignment())

    def planned(self, spans: Sequence[Span]) -> None:
        """Commit to Kafka now and then, for lag tools alone."""
        for span in spans:
            self._uncommitted[TopicPartition(span.topic, span.partition)] = span.next_offset
        busy = self._committing is not None and not self._committing.done()
        if busy or self._clock.monotonic() - self._committed_at < COMMIT_INTERVAL_S:
            return
        self._committed_at = self._clock.monotonic()
        self._committing = asyncio.create_task(self._commit(), name="intake.commit")

    async def _commit(self) -> None:
        held = self._consumer.assignment()
        offsets = {partition: offset for partition, offset in self._uncommitted.items() if partition in held}
        self._uncommitted.clear()
        if not offsets:
            return
        try:
            await self._consumer.commit(offsets)
        except KafkaError as error:
            # Only lag tools read it, and the next one tells them more.
            _log.info("intake.commit_failed", error=type(error).__name__)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Forget the partitions; a batch of theirs that is under way is stopped by the fence."""
        for partition in revoked:
            self._next.pop(partition, None)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take up each partition where the table says."""
        self.rebalances += 1
        await self._seek(assigned)
        _log.info("intake.assigned", partitions=sorted(f"{p.topic}/{p.partition}" for p in self._next))

    async def _seek(self, partitions: Iterable[TopicPartition]) -> None:
        held = list(partitions)
        if not held:
            return

        async def positions() -> dict[TopicPartition, int]:
            return await self._positions(held)

        found = await until_it_works(
            positions, name="intake.offsets", errors=(StoreUnavailableError, KafkaError), clock=self._clock
        )
        # Asked anew, because the group may have taken some of them meanwhile.
        for partition in found.keys() & self._consumer.assignment():
            self._consumer.seek(partition, found[partition])
            self._next[partition] = found[partition]

    async def _positions(self, held: list[TopicPartition]) -> dict[TopicPartition, int]:
        begins = await self._consumer.beginning_offsets(held)
        ends = await self._consumer.end_offsets(held)
        starts = {(p.topic, p.partition): begins[p] for p in held}
        known = await self._offsets.load(starts)
        positions = {p: known[p.topic, p.partition] for p in held}
        # Behind the end: the topic was made anew. Before the begin: Kafka's retention was faster than we were.
        strange = {p: begins[p] for p, offset in positions.items() if not begins[p] <= offset <= ends[p]}
        if strange:
            _log.error("intake.offsets_reset", partitions={f"{p.topic}/{p.partition}": positions[p] for p in strange})
            await self._offsets.rewind({(p.topic, p.partition): offset for p, offset in strange.items()})
        return {**positions, **strange}


class KafkaRejects:
    """The topic of records that nobody could read."""

    def __init__(self, producer: AIOKafkaProducer, *, topic: str, clock: Clock) -> None:
        self._producer = producer
        self._topic = topic
        self._clock = clock

    async def start(self) -> None:
        """Connect.

        Raises:
            BrokerUnavailableError: Kafka cannot be reached.
        """
        try:
            await self._producer.start()
        except KafkaError as error:
            raise BrokerUnavailableError(type(error).__name__) from error

    async def stop(self) -> None:
        """Send what is left and disconnect; what Kafka does not take by then is given up, and read again later."""
        await stop_producer(self._producer)

    async def reject(self, rejections: Iterable[Rejection]) -> None:
        """Publish the raw records with reason, origin and time in headers.

        Raises:
            PublishError: Kafka did not take one of them.
        """
        at = self._clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        try:
            for rejection in rejections:
                record = rejection.record
                headers = [
                    *record.headers,
                    (f"{REJECTED_HEADER_PREFIX}reason", rejection.reason.encode()),
                    (f"{REJECTED_HEADER_PREFIX}topic", record.topic.encode()),
                    (f"{REJECTED_HEADER_PREFIX}partition", str(record.partition).encode()),
                    (f"{REJECTED_HEADER_PREFIX}offset", str(record.offset).encode()),
                    (f"{REJECTED_HEADER_PREFIX}at", at.encode()),
                ]
                # aiokafka does not write a record that has neither, which others may.
                key = b"" if record.key is None and record.value is None else record.key
                await self._send(key, record.value, headers)
        except KafkaError as error:
            raise PublishError(type(error).__name__) from error

    async def _send(self, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> None:
        try:
            await self._producer.send_and_wait(self._topic, value=value, key=key, headers=headers)
        except MessageSizeTooLargeError:
            # As large as a record may be, and our headers on top: its place is kept, and nothing stands still.
            note = (f"{REJECTED_HEADER_PREFIX}value", f"left out: {len(value or b'')} bytes".encode())
            await self._producer.send_and_wait(self._topic, value=b"", key=key, headers=[*headers, note])
