"""The Kafka topics, what orders them, and how wide they start."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

EVENTS: Final = "coro.events"
WEBHOOKS: Final = "coro.webhooks"
REJECTED: Final = "coro.events.rejected"

TOPICS: Final = (EVENTS, WEBHOOKS, REJECTED)

# Added to the headers of a rejected record; a redrive takes them off again.
REJECTED_HEADER_PREFIX: Final = "coro-rejected-"
REJECTED_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "coro-rejected-reason": "Field and rule, without any value.",
        "coro-rejected-topic": "The topic it was read from.",
        "coro-rejected-partition": "The partition it was read from, in decimal.",
        "coro-rejected-offset": "Its offset there, in decimal.",
        "coro-rejected-value": "Only where the record was too large to be kept: that its value was left out.",
        "coro-rejected-at": "When it was rejected, RFC 3339.",
    }
)

# Partitions are the ceiling of dispatcher replicas; more can be added later, at the price
# of the order within a workspace while the old partitions drain.
DEFAULT_PARTITIONS: Final = 6


def partition_key(workspace_id: str) -> bytes:
    """Return the record key: everything of one workspace stays in order in one partition."""
    return workspace_id.encode()
