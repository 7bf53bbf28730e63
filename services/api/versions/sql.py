"""Webhook versions in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from coro_events.contract.webhook_events import SOURCE_API
from coro_events.rules.releasing import Release, Unreleasable, VersionLife
from coro_events.store.releasing import Use, read_lives, read_uses, release_version
from coro_events.store.unit import Database


class SqlVersions:
    """The versions on record, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lives(self) -> Sequence[VersionLife]:
        """Return the lives of all versions, in order."""
        async with self._database.read() as connection:
            return await read_lives(connection)

    async def uses(self, under: str) -> Mapping[int, Use]:
        """Return how much each version is used at and below a workspace; unused ones are not named."""
        async with self._database.read() as connection:
            return await read_uses(connection, under=under)

    async def release(self, version: int, *, at: datetime | None, now: datetime, actor: str) -> Release | Unreleasable:
        """Release a version and tell it, in one transaction; the same release again changes nothing."""
        async with self._database.write() as connection:
            return await release_version(connection, version, at=at, now=now, actor=actor, source=SOURCE_API)
