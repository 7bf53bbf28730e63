"""The Kafka topics, what orders them, and how wide they start."""

from typing import Final

EVENTS: Final = "coro.events"
WEBHOOKS: Final = "coro.webhooks"
REJECTED: Final = "coro.events.rejected"

TOPICS: Final = (EVENTS, WEBHOOKS, REJECTED)

# Partitions are the ceiling of dispatcher replicas; more can be added later, at the price
# of the order within a workspace while the old partitions drain.
DEFAULT_PARTITIONS: Final = 6


def partition_key(workspace_id: str) -> bytes:
    """Return the record key: everything of one workspace stays in order in one partition."""
    return workspace_id.encode()
