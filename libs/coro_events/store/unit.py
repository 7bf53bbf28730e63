"""The unit of work: connections that may read, connections that may write, and the one commit."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.engine import CursorResult, Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from coro_events.store.outages import outages

Params = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class ReadConnection:
    """One transaction that only reads."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def execute(self, statement: Executable, params: Params = None) -> CursorResult[Any]:
        """Run one statement; a sequence of parameter sets runs it once for each."""
        return await self._connection.execute(statement, params)

    async def rows(self, statement: Executable, params: Params = None) -> Sequence[Row[Any]]:
        """Run one statement and return all of its rows."""
        return (await self._connection.execute(statement, params)).all()

    async def row(self, statement: Executable, params: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """Run one statement and return its only row, or none."""
        return (await self._connection.execute(statement, params)).one_or_none()

    async def scalar(self, statement: Executable, params: Mapping[str, Any] | None = None) -> Any:
        """Run one statement and return the first column of its first row, or none."""
        return await self._connection.scalar(statement, params)


class WriteConnection(ReadConnection):
    """One transaction that may write; it commits when its block ends well, else nothing happened."""


class Database:
    """Hands out units of work on one engine."""

    def __init__(self, engine: AsyncEngine, *, reading: AsyncEngine | None = None) -> None:
        """Make it; `reading` is a read-only engine, for whoever reads so often that a transaction each is too dear."""
        self._engine = engine
        self._reading = reading

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadConnection]:
        """Open a connection for the block that PostgreSQL lets read alone.

        Each statement sees what is committed when it begins, whether or not a transaction is around it.

        Raises:
            StoreUnavailableError: The database cannot be reached or broke off.
        """
        if self._reading is not None:
            async with outages(), self._reading.connect() as connection:
                yield ReadConnection(connection)
            return
        async with outages(), self._engine.connect() as connection:
            await connection.execution_options(postgresql_readonly=True)
            yield ReadConnection(connection)
            await connection.rollback()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteConnection]:
        """Open a transaction for the block; commit at its end, roll back on any error.

        Raises:
            StoreUnavailableError: The database cannot be reached or broke off. If that was during the commit, nobody
                knows whether the transaction counts: repeating it must be harmless.
        """
        async with outages(), self._engine.connect() as connection:
            yield WriteConnection(connection)
            await connection.commit()

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[WriteConnection]:
        """Open a connection on which each single statement is its own transaction.

        Raises:
            StoreUnavailableError: The database cannot be reached or broke off.
        """
        async with outages(), self._engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            yield WriteConnection(connection)

    async def dispose(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
        if self._reading is not None:
            await self._reading.dispose()
