"""The place of the leader as an advisory lock of PostgreSQL, held by the session of a connection of its own."""

import asyncio
from contextlib import AsyncExitStack, suppress

from sqlalchemy import text

from coro_events.errors import StoreUnavailableError
from coro_events.store.locks import AdvisoryLock
from coro_events.store.outages import outages
from coro_events.store.unit import Database, WriteConnection

LEADER_LOCK = int(AdvisoryLock.LEADER)

# A leader whose machine vanished sends no good-bye: the server gives its session up after 5 + 3 * 2 seconds.
_KEEPALIVE = {"tcp_keepalives_idle": 5, "tcp_keepalives_interval": 2, "tcp_keepalives_count": 3}

_LOCK = text("select pg_try_advisory_lock(:lock)")
# A 64-bit lock shows its upper half as classid and its lower half as objid.
_HELD = text(
    "select count(*) > 0 from pg_locks, cast(:lock as bigint) as l where locktype = 'advisory' and granted"
    " and pid = pg_backend_pid() and (classid::bigint << 32) | objid::bigint = l and objsubid = 1"
)


class AdvisoryLeadership:
    """Satisfies `Leadership`.

    Nothing outlives the session: when the process dies, hangs longer than `silence_s` or is cut off, the server ends
    the session and the lock is free.
    """

    def __init__(self, database: Database, *, answer_s: float, silence_s: float) -> None:
        """Keep the settings; nothing is connected yet.

        Args:
            database: Makes the connection; must not put a pooler that shares sessions in between.
            answer_s: How long the server may take to answer before the place counts as lost.
            silence_s: How long the leader may say nothing before the server gives its place away.
        """
        self._database = database
        self._answer_s = answer_s
        self._silence_s = silence_s
        self._connection: WriteConnection | None = None
        self._closing = AsyncExitStack()
        # Several tasks ask, and a connection serves one at a time.
        self._turn = asyncio.Lock()

    async def seek(self) -> bool:
        """Take the place if it is free; tell whether it is ours at this moment.

        Raises:
            StoreUnavailableError: The server does not answer.
        """
        async with self._turn:
            try:
                async with outages(), asyncio.timeout(self._answer_s):
                    return await self._ask()
            except BaseException:
                await self._disconnect()
                raise

    async def resign(self) -> None:
        """Leave the place by ending the session."""
        async with self._turn:
            await self._disconnect()

    async def _ask(self) -> bool:
        if self._connection is None:
            self._connection = await self._connect()
        elif await self._connection.scalar(_HELD, {"lock": LEADER_LOCK}):
            return True
        return bool(await self._connection.scalar(_LOCK, {"lock": LEADER_LOCK}))

    async def _connect(self) -> WriteConnection:
        connection = await self._closing.enter_async_context(self._database.autocommit())
        limits = _KEEPALIVE | {"idle_session_timeout": int(self._silence_s * 1000)}
        for name, value in limits.items():
            await connection.execute(text(f"set {name} = {value}"))
        return connection

    async def _disconnect(self) -> None:
        self._connection = None
        with suppress(StoreUnavailableError):
            async with outages():
                await self._closing.aclose()
