"""The chores that remove rows whose time is over: sessions, idempotency keys, old mails."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from coro_events.store.failures import forget_told
from coro_events.store.housekeeping import count_ended_keys, count_ended_sessions, drop_keys, drop_sessions
from coro_events.store.mail_queue import count_old, forget
from coro_events.store.unit import Database, WriteConnection
from services.scheduler.chores.failures import TOLD_FOR
from services.scheduler.planned import Planned

_BATCH_ROWS = 1_000


async def _in_batches(database: Database, drop: Callable[[WriteConnection], Awaitable[int]]) -> int:
    """Remove rows in transactions of a thousand at the most, until there are no more; return how many."""
    removed, last = 0, _BATCH_ROWS
    while last == _BATCH_ROWS:
        async with database.write() as connection:
            last = await drop(connection)
        removed += last
    return removed


class Sessions:
    """Satisfies `Chore`: sessions of the console end by themselves, and their rows go here."""

    name = "sessions"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run_once(self, now: datetime) -> Mapping[str, object]:
        """Remove sessions that have ended."""
        return {
            "removed": await _in_batches(
                self._database, lambda connection: drop_sessions(connection, now, limit=_BATCH_ROWS)
            )
        }

    async def preview(self, now: datetime) -> Sequence[Planned]:
        """Return how many sessions would go."""
        async with self._database.read() as connection:
            return _counted("remove session", await count_ended_sessions(connection, now))


class IdempotencyKeys:
    """Satisfies `Chore`: answers are kept for a day."""

    name = "idempotency-keys"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run_once(self, now: datetime) -> Mapping[str, object]:
        """Remove keys whose answer is not kept any more."""
        return {
            "removed": await _in_batches(
                self._database, lambda connection: drop_keys(connection, now, limit=_BATCH_ROWS)
            )
        }

    async def preview(self, now: datetime) -> Sequence[Planned]:
        """Return how many keys would go."""
        async with self._database.read() as connection:
            return _counted("remove idempotency key", await count_ended_keys(connection, now))


class OldMails:
    """Satisfies `Chore`: mails are kept as long as deliveries, and as long as somebody still waits for them."""

    name = "old-mails"

    def __init__(self, database: Database, *, retention_days: int) -> None:
        self._database = database
        self._kept_for = timedelta(days=retention_days)

    async def run_once(self, now: datetime) -> Mapping[str, object]:
        """Remove old mails, and what was noted for the sake of mails."""
        before = now - self._kept_for
        # A while longer than the chore that asks for them looks back.
        kept_s = 2 * TOLD_FOR.total_seconds()
        removed = await _in_batches(
            self._database, lambda connection: forget(connection, before=before, limit=_BATCH_ROWS)
        )
        await _in_batches(
            self._database, lambda connection: forget_told(connection, now=now, kept_s=kept_s, limit=_BATCH_ROWS)
        )
        return {"removed": removed}

    async def preview(self, now: datetime) -> Sequence[Planned]:
        """Return how many mails would go."""
        async with self._database.read() as connection:
            return _counted("remove mail", await count_old(connection, now - self._kept_for))


def _counted(action: str, count: int) -> list[Planned]:
    return [Planned(action, count=count)] if count else []
