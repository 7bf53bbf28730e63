"""What the command line asks of Kafka itself: making topics and sending rejected records again."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import IllegalOperation, KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.structs import TopicPartition

from coro_events.cli.places import topic
from coro_events.cli.told import Refused
from coro_events.contract.cloudevents import MAX_RECORD_BYTES
from coro_events.contract.topics import DEFAULT_PARTITIONS, EVENTS, REJECTED, REJECTED_HEADER_PREFIX, TOPICS
from coro_events.runtime.kafka import make_consumer, make_producer

CLIENT_ID = "coro-cli"
REDRIVE_GROUP = "coro-redrive"
# Copies of each partition, where there are as many brokers.
REPLICAS = 3
BATCH_RECORDS = 200
POLL_MS = 5_000


@asynccontextmanager
async def _failures_told() -> AsyncIterator[None]:
    """Turn a failure of the client inside the block into a sentence."""
    try:
        yield
    except (KafkaError, IllegalOperation) as error:
        raise Refused(f"Kafka refused: {str(error) or type(error).__name__}") from error


async def create_topics(
    bootstrap_servers: str,
    *,
    partitions: int = DEFAULT_PARTITIONS,
    replication_factor: int | None = None,
    names: Sequence[str] = TOPICS,
) -> list[str]:
    """Create the topics that are missing and return their names; existing ones are left as they are.

    Args:
        bootstrap_servers: Brokers, `host:port`, comma separated.
        partitions: Of each new topic.
        replication_factor: Copies of each partition; three if left out, or one a broker where there are fewer.
        names: The topics.

    Raises:
        Refused: No broker answers, or it refuses a topic.
    """
    async with _failures_told():
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers, client_id=CLIENT_ID)
        try:
            await admin.start()
            replicas = replication_factor or min(REPLICAS, len((await admin.describe_cluster())["brokers"]))
            wanted = [NewTopic(name, partitions, replicas, topic_configs=_configs(name)) for name in names]
            response = await admin.create_topics(wanted)
        finally:
            await admin.close()
    created = []
    for name, code, *_ in response.topic_errors:
        kind = for_code(code)
        if code == 0:
            created.append(str(name))
        elif kind is not TopicAlreadyExistsError:
            raise Refused(f"Kafka refused to create {name}: {kind.__name__}")
    return created


def _configs(name: str) -> dict[str, str]:
    """Return a topic's settings: a rejected record is as large as any record, with our headers on top."""
    return {"max.message.bytes": str(2 * MAX_RECORD_BYTES)} if name.endswith(REJECTED) else {}


@dataclass(frozen=True, slots=True)
class Redriven:
    """What a redrive did, or would do.

    Attributes:
        sent: Records sent to `coro.events` again.
        skipped: Records without key and value, which nobody can send.
    """

    sent: int
    skipped: int


async def redrive(bootstrap_servers: str, *, limit: int | None = None, dry_run: bool = False) -> Redriven:
    """Send the rejected records that no redrive has sent yet, up to those present at the start.

    A record's place is committed after its acknowledgement: a redrive that is cut off repeats records rather than
    losing them, and a repeated event makes no second delivery.

    Raises:
        Refused: No broker answers or it does not take a record.
    """
    async with _failures_told():
        consumer = make_consumer(
            bootstrap_servers, client_id=CLIENT_ID, group_id=topic(REDRIVE_GROUP), max_records=BATCH_RECORDS
        )
        producer = make_producer(bootstrap_servers, client_id=CLIENT_ID)
        try:
            await consumer.start()
            await producer.start()
            return await _redrive(consumer, producer, limit=limit, dry_run=dry_run)
        finally:
            await producer.stop()
            await consumer.stop()


async def _redrive(
    consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, *, limit: int | None, dry_run: bool
) -> Redriven:
    numbers = await _partitions(consumer, producer)
    # Assigned by hand: nothing is balanced, so nothing is waited for.
    consumer.assign(numbers)
    ends = await consumer.end_offsets(numbers)
    sent = skipped = 0
    while (limit is None or sent + skipped < limit) and await _behind(consumer, ends):
        left = BATCH_RECORDS if limit is None else min(BATCH_RECORDS, limit - sent - skipped)
        batch = await consumer.getmany(timeout_ms=POLL_MS, max_records=left)
        if not batch:
            raise Refused("Kafka gave no records within 5 s although there are some")
        for partition, records in batch.items():
            known = [record for record in records if record.offset < ends[partition]]
            useful = [record for record in known if record.key is not None or record.value is not None]
            if not dry_run:
                for record in useful:
                    headers = [(k, v) for k, v in record.headers if not k.startswith(REJECTED_HEADER_PREFIX)]
                    await producer.send_and_wait(topic(EVENTS), record.value, record.key, headers=headers)
                if known:
                    await consumer.commit({partition: known[-1].offset + 1})
            sent += len(useful)
            skipped += len(known) - len(useful)
    return Redriven(sent=sent, skipped=skipped)


async def _partitions(consumer: AIOKafkaConsumer, producer: AIOKafkaProducer) -> list[TopicPartition]:
    # The producer alone offers to wait for a topic's metadata, and it would wait long for a topic that is missing.
    rejected = topic(REJECTED)
    if rejected not in await consumer.topics():
        raise Refused(f"there is no topic {rejected}; create it with `coro topics create`")
    return [TopicPartition(rejected, number) for number in sorted(await producer.partitions_for(rejected))]


async def _behind(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    return any([await consumer.position(partition) < end for partition, end in ends.items()])
