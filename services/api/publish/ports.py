"""What this room needs: the outbox, of which one relay at a time takes, and somebody who publishes."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A message that Kafka has not acknowledged yet.

    Attributes:
        id: Its place in the order.
        key: The workspace, which orders messages on Kafka; empty where a message belongs to none.
        message: A whole structured CloudEvent; its id is the same at every publishing.
    """

    id: int
    topic: str
    key: str
    message: Mapping[str, object]
    created_at: datetime


class OutboxSession(Protocol):
    """The outbox as one relay sees it, from its election until the connection ends."""

    async def lead(self) -> bool:
        """Try to become the one relay at work over all replicas; stays so until the session ends."""
        ...

    async def waiting(self, limit: int) -> Sequence[OutboxMessage]:
        """Return the next messages, in order."""
        ...

    async def length(self, limit: int) -> int:
        """Return how many messages wait, counting no further than the limit."""
        ...

    async def remove(self, ids: Sequence[int]) -> None:
        """Forget messages that were published."""
        ...

    async def rung(self) -> None:
        """Wait until somebody rings: there may be new messages."""
        ...


class Outbox(Protocol):
    """Opens the outbox. A session ends with StoreUnavailableError when PostgreSQL goes away."""

    def session(self) -> AbstractAsyncContextManager[OutboxSession]:
        """Open a session."""
        ...


class Publisher(Protocol):
    """Hands messages to Kafka."""

    async def publish(self, messages: Sequence[OutboxMessage]) -> None:
        """Publish in order and wait for every acknowledgement.

        Raises:
            PublishError: Not all were acknowledged; some may have been.
        """
        ...

    async def close(self) -> None:
        """Let go of Kafka."""
        ...
