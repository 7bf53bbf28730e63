"""Kafka topics for tests: names that no other test uses."""

import uuid
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.support.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one test.

    Attributes:
        prefix: Stands before each name; good for group ids as well.
        events: In place of `coro.events`.
        webhooks: In place of `coro.webhooks`.
        rejected: In place of `coro.events.rejected`.
    """

    prefix: str
    events: str
    webhooks: str
    rejected: str

    def all(self) -> tuple[str, ...]:
        """Return every name."""
        return (self.events, self.webhooks, self.rejected)


def new_topics() -> Topics:
    """Return fresh names; nothing is created yet."""
    prefix = f"test-{uuid.uuid4().hex[:12]}"
    return Topics(
        prefix=prefix,
        events=f"{prefix}.coro.events",
        webhooks=f"{prefix}.coro.webhooks",
        rejected=f"{prefix}.coro.events.rejected",
    )


async def create_topics(bootstrap: str, names: tuple[str, ...], *, partitions: int) -> None:
    """Create topics with one replica each, and wait until the broker tells of them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics(
            [NewTopic(name=name, num_partitions=partitions, replication_factor=1) for name in names]
        )

        async def told() -> bool:
            described = await admin.describe_topics(list(names))
            return all(topic["error_code"] == 0 and len(topic["partitions"]) == partitions for topic in described)

        await wait_until(told, what=f"the topics {names}")
    finally:
        await admin.close()


async def delete_topics(bootstrap: str, names: tuple[str, ...]) -> None:
    """Delete topics."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics(list(names))
    finally:
        await admin.close()
