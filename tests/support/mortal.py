"""A database on which a process dies at a chosen commit: right before it, or right after it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine

from coro_events.store.unit import Database, WriteConnection


class Killed(BaseException):
    """The process is dead; nothing of it may catch this, as nothing catches a SIGKILL."""


class MortalDatabase(Database):
    """Counts transactions that write, and dies at one of them.

    Attributes:
        commits: How many there were.
    """

    def __init__(self, engine: AsyncEngine, *, dies_at: int | None = None, is_before: bool = True) -> None:
        """Choose the death.

        Args:
            engine: Of the database.
            dies_at: The number of the commit, from 1; none lives for ever.
            is_before: Whether that commit is lost; else it counts, and whoever asked for it never learns.
        """
        super().__init__(engine)
        self.commits = 0
        self._dies_at = dies_at
        self._is_before = is_before

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteConnection]:
        """Open a transaction as its parent does, and die when it is time."""
        self.commits += 1
        is_the_one = self.commits == self._dies_at
        async with super().write() as connection:
            yield connection
            if is_the_one and self._is_before:
                raise Killed
        if is_the_one:
            raise Killed
