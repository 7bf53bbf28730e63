"""What this room needs: the lives of webhook versions, who uses them, and the release of one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from coro_events.rules.releasing import Release, Unreleasable, VersionLife
from coro_events.store.releasing import Use


class VersionStore(Protocol):
    """The versions on record."""

    async def lives(self) -> Sequence[VersionLife]:
        """Return the lives of all versions, in order."""
        ...

    async def uses(self, under: str) -> Mapping[int, Use]:
        """Return how much each version is used at and below a workspace; unused ones are not named."""
        ...

    async def release(self, version: int, *, at: datetime | None, now: datetime, actor: str) -> Release | Unreleasable:
        """Release a version and tell it, in one transaction; the same release again changes nothing."""
        ...
