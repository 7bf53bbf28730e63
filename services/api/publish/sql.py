"""The outbox in PostgreSQL: one connection holds the relay's election, listens, reads and removes.

An election is an advisory lock of that connection. When it breaks, the lock is gone and so is the means to remove
anything: two relays can publish the same message, in the worst case, and never lose one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from coro_events.errors import StoreUnavailableError
from coro_events.store.locks import AdvisoryLock
from coro_events.store.outages import outages
from coro_events.store.outbox import CHANNEL
from coro_events.store.tables import outbox
from coro_events.store.unit import WriteConnection
from services.api.publish.ports import OutboxMessage

RELAY_LOCK = int(AdvisoryLock.RELAY)


class SqlOutboxSession:
    """The outbox over one connection, on which each statement is its own transaction."""

    def __init__(self, connection: WriteConnection, bell: asyncio.Event) -> None:
        self._connection = connection
        self._bell = bell
        self._leads = False

    async def lead(self) -> bool:
        """Try to become the one relay at work."""
        if not self._leads:
            self._leads = await self._connection.scalar(select(func.pg_try_advisory_lock(RELAY_LOCK)))
        return self._leads

    async def waiting(self, limit: int) -> list[OutboxMessage]:
        """Return the next messages, in order."""
        # Cleared before the look: a ring during it leads to another look.
        self._bell.clear()
        rows = await self._connection.rows(select(outbox).order_by(outbox.c.id).limit(limit))
        return [OutboxMessage(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it

    async def length(self, limit: int) -> int:
        """Return how many messages wait, counting no further than the limit."""
        some = select(outbox.c.id).limit(limit).subquery()
        count: int = await self._connection.scalar(select(func.count()).select_from(some))
        return count

    async def remove(self, ids: Sequence[int]) -> None:
        """Forget messages that were published."""
        await self._connection.execute(delete(outbox).where(outbox.c.id.in_(ids)))

    async def rung(self) -> None:
        """Wait until somebody rings."""
        await self._bell.wait()


class SqlOutbox:
    """Opens the outbox over an engine without a pool: the connection is the election."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def session(self) -> AsyncIterator[SqlOutboxSession]:
        """Open a connection and listen on it."""
        bell = asyncio.Event()

        def ring(*_: Any) -> None:
            bell.set()

        async with outages(), self._engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await _listen(driver, ring)
            yield SqlOutboxSession(WriteConnection(connection), bell)


async def _listen(driver: Any, ring: Callable[..., None]) -> None:
    """Listen until the connection is closed, which the end of the session does."""
    try:
        await driver.add_listener(CHANNEL, ring)
    except Exception as error:
        # Here asyncpg speaks for itself; everywhere else SQLAlchemy translates.
        if driver.is_closed():
            raise StoreUnavailableError(type(error).__name__) from error
        raise
