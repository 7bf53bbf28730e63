"""What intake needs: records to read, offsets to start from, a place for what cannot be read."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from coro_events.contract.workspaces import WorkspaceCreated
from coro_events.store.unit import WriteConnection
from services.dispatcher.intake.batch import Batch, Rejection, Span, StatusChange

# (topic, partition) to offset.
Offsets = Mapping[tuple[str, int], int]


class EventSource(Protocol):
    """Where records come from."""

    async def fetch(self, limit: int | None = None) -> Batch:
        """Return the next records, or an empty batch after a short while.

        Args:
            limit: How many at the most, where that is fewer than the source would bring.

        Raises:
            BrokerUnavailableError: Kafka cannot be read; what was read before stays valid.
        """
        ...

    async def reposition(self) -> None:
        """Go on from where the offsets say, because another replica was faster or work was lost."""
        ...

    def planned(self, spans: Sequence[Span]) -> None:
        """Tell lag tools how far we are; correctness does not depend on it."""
        ...


class ConsumedOffsets(Protocol):
    """How far each partition is planned."""

    async def load(self, starts: Offsets) -> Offsets:
        """Return where to go on in each of the named partitions; one never seen begins at its given start."""
        ...

    async def rewind(self, starts: Offsets) -> None:
        """Begin these partitions again at the given starts: their log is not the one we knew."""
        ...


class Rejects(Protocol):
    """Where unreadable records are kept."""

    async def reject(self, rejections: Iterable[Rejection]) -> None:
        """Keep the raw records with reason and origin; returns when they are safe.

        Raises:
            PublishError: They are not safe yet.
        """
        ...


class Fence(Protocol):
    """The step of a planning transaction that lets only one replica plan a record."""

    async def advance(self, connection: WriteConnection, spans: Sequence[Span]) -> None:
        """Move each span's partition from its first to its next offset.

        Raises:
            FenceLostError: A partition is not where the span begins; nothing of the transaction may count.
        """
        ...


class Tree(Protocol):
    """The step of a planning transaction that changes the tree before its events are matched."""

    async def grow(self, connection: WriteConnection, created: Sequence[WorkspaceCreated]) -> None:
        """Create the rows that are not there yet; a workspace that exists stays as it is."""
        ...

    async def keep_statuses(self, connection: WriteConnection, changes: Sequence[StatusChange]) -> None:
        """Write the statuses of the workspaces that are known; the last one of each counts."""
        ...
