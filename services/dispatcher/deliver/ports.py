"""What delivering needs: something that sends, and deliveries that are due."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from services.dispatcher.deliver.outcome import Answer
from services.dispatcher.deliver.request import Request
from services.dispatcher.match.delivery import Delivery


class Sender(Protocol):
    """Sends one request and says what came of it."""

    async def send(self, request: Request) -> Answer:
        """Send within the deadline; every failure of a stranger is an ordinary answer, never an exception."""
        ...


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is due in the database and claimed by nobody, over all replicas."""

    # Counted up to a limit, see the adapter.
    due: int
    # How long the oldest of the counted ones has been due, in seconds.
    oldest_s: float


class DueDeliveries(Protocol):
    """Deliveries in the database that nobody is working on."""

    async def claim(self, room: Callable[[UUID], int], limit: int) -> Sequence[Delivery]:
        """Claim up to `limit` deliveries that are due, fairly over webhooks, at most as many each as there is room.

        A share is one of all days together: no day waits for the backlog of another.

        Raises:
            StoreUnavailableError: The database is away.
        """
        ...

    async def release(self, deliveries: Sequence[Delivery]) -> None:
        """Give up claims, so that any replica may take the deliveries at once; a claim that was lost stays lost.

        Raises:
            StoreUnavailableError: The database is away; the claims end by themselves.
        """
        ...

    async def backlog(self) -> Backlog:
        """Count what is due.

        Raises:
            StoreUnavailableError: The database is away.
        """
        ...
