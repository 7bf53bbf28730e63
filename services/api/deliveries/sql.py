"""Replays and single deliveries in PostgreSQL."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from coro_events.rules.deliveries import DeliveryKind, DeliveryState
from coro_events.rules.webhooks import WebhookState
from coro_events.store.replaying import COUNT_MISSED, COUNT_STOPPED, FAILED, HELD, MISSED, first_day_of
from coro_events.store.tables import replays, webhooks
from coro_events.store.unit import Database, ReadConnection, WriteConnection
from services.api.deliveries.ports import (
    Again,
    Counts,
    Replay,
    ReplayChange,
    ReplayState,
    RetryChange,
    Stopped,
    Subject,
)
from services.api.idempotency.ports import KeptAnswer
from services.api.idempotency.sql import keep_answer
from services.api.refusals import ReplayRunning
from services.api.webhooks.ports import Activity
from services.api.webhooks.sql import record_activity

_w, _r = webhooks.c, replays.c
_UNIQUE_RUNNING = "uq_replays_running"
_NOBODY = uuid.UUID(int=0)

_STOPPED = text("""
    select day, webhook_id, event_id, hook_id, kind, state, claim is not null and leased_until > now() as is_under_way
    from deliveries where hook_id = :hook_id and webhook_id = :webhook_id
""")

# The state is named: whoever was faster wins. A claim whose lease is over belongs to a replica that died; should it
# come back, its claim no longer holds.
_MAKE_DUE = text("""
    update deliveries set state = 'pending', due_at = now(), claim = null, leased_until = null, finished_at = null,
        manual = manual or :manual, attempts_before = case when :manual then attempts else attempts_before end
    where day = :day and webhook_id = :webhook_id and event_id = :event_id and state = :state
        and (claim is null or leased_until <= now())
    returning hook_id, state, attempts, due_at
""")


class SqlReplays:
    """The replays on record, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def change(self) -> AsyncIterator[ReplayChange]:
        """Open a transaction that ends with the block."""
        async with self._database.write() as connection:
            yield SqlReplayChange(connection)

    async def subject(self, workspace_id: str, webhook_id: uuid.UUID) -> Subject | None:
        """Return a webhook of a workspace."""
        async with self._database.read() as connection:
            return await _subject(connection, workspace_id, webhook_id)

    async def count(self, subject: Subject, *, since: datetime, include: Sequence[str]) -> Counts:
        """Count what a replay of a webhook would take, at this moment."""
        states = [state for state in (HELD, FAILED) if state in include]
        async with self._database.read() as connection:
            # The clock that received_at and finished_at are of; ours may differ.
            until: datetime = await connection.scalar(select(func.now()))
            scope = {"webhook_id": subject.id, "first_day": first_day_of(since), "since": since, "until": until}
            stopped = {
                row.state: row.deliveries for row in await connection.rows(COUNT_STOPPED, scope | {"states": states})
            }
            missed = 0
            if MISSED in include:
                wanted = {
                    "workspace_id": subject.workspace_id,
                    "descend": subject.apply_to_all_descendants,
                    "triggers": list(subject.triggers),
                }
                missed = await connection.scalar(COUNT_MISSED, scope | wanted)
        return Counts(missed=missed, held=stopped.get(HELD, 0), failed=stopped.get(FAILED, 0), until=until)

    async def page(self, webhook_id: uuid.UUID, *, page: int, page_size: int) -> tuple[list[Replay], int]:
        """Return one page of a webhook's replays, newest first, and how many there are."""
        here = _r.webhook_id == webhook_id
        newest = select(replays).where(here).order_by(_r.created_at.desc(), _r.id)
        async with self._database.read() as connection:
            total: int = await connection.scalar(select(func.count()).select_from(replays).where(here))
            rows = await connection.rows(newest.limit(page_size).offset(page * page_size))
        return [_replay(row) for row in rows], total

    async def one(self, workspace_id: str, webhook_id: uuid.UUID, replay_id: uuid.UUID) -> Replay | None:
        """Return a replay of a webhook of a workspace."""
        here = (_r.id == replay_id, _r.webhook_id == webhook_id, _r.workspace_id == workspace_id)
        async with self._database.read() as connection:
            row = await connection.row(select(replays).where(*here))
        return None if row is None else _replay(row)


class SqlReplayChange:
    """One transaction that changes replays."""

    def __init__(self, connection: WriteConnection) -> None:
        self._connection = connection

    async def lock(self, workspace_id: str, webhook_id: uuid.UUID) -> Subject | None:
        """Return a webhook as it stands, and keep others from changing it."""
        return await _subject(self._connection, workspace_id, webhook_id, lock=True)

    async def insert(self, replay: Replay) -> None:
        """Add a running replay, or raise ReplayRunning."""
        values = {
            "id": replay.id,
            "webhook_id": replay.webhook_id,
            "workspace_id": replay.workspace_id,
            "includes": list(replay.include),
            "since": replay.since,
            "created_at": replay.created_at,
            "rate_per_s": replay.rate_per_s,
            "expected": replay.expected,
            "cursor_day": first_day_of(replay.since),
            "cursor_at": replay.since,
            "cursor_id": _NOBODY,
        }
        try:
            await self._connection.execute(insert(replays).values(values))
        except IntegrityError as error:
            if _UNIQUE_RUNNING in str(error.orig):
                raise ReplayRunning("cancel it or wait for its end") from error
            raise

    async def cancel(self, replay_id: uuid.UUID, *, reason: str, at: datetime) -> Replay | None:
        """End a replay if it is running, and return it; none where it is not."""
        running = (_r.id == replay_id, _r.state == ReplayState.RUNNING.value)
        row = await self._connection.row(
            update(replays)
            .where(*running)
            .values(state=ReplayState.CANCELLED.value, reason=reason, finished_at=at)
            .returning(replays)
        )
        return None if row is None else _replay(row)

    async def record(self, activity: Activity) -> None:
        """Write a line of the activity log."""
        await record_activity(self._connection, activity)

    async def keep(self, answer: KeptAnswer) -> None:
        """Keep the answer to the request of an idempotency key, or raise StillUnderWay."""
        await keep_answer(self._connection, answer)


class SqlRetries:
    """Deliveries that may be tried again, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def change(self) -> AsyncIterator[RetryChange]:
        """Open a transaction that ends with the block."""
        async with self._database.write() as connection:
            yield SqlRetryChange(connection)


class SqlRetryChange:
    """One transaction that makes a delivery due.

    The webhook is not locked: the dispatcher locks a delivery first and then its webhook, and we must not do it the
    other way round. If it is disabled meanwhile, the attempt is made all the same; if it expires, it is not.
    """

    def __init__(self, connection: WriteConnection) -> None:
        self._connection = connection

    async def subject(self, workspace_id: str, webhook_id: uuid.UUID) -> Subject | None:
        """Return a webhook of a workspace; others may change it meanwhile."""
        return await _subject(self._connection, workspace_id, webhook_id)

    async def stopped(self, webhook_id: uuid.UUID, hook_id: uuid.UUID) -> Stopped | None:
        """Return a delivery of a webhook; others may change it meanwhile."""
        row = await self._connection.row(_STOPPED, {"webhook_id": webhook_id, "hook_id": hook_id})
        if row is None:
            return None
        return Stopped(
            day=row.day,
            webhook_id=row.webhook_id,
            event_id=row.event_id,
            hook_id=row.hook_id,
            state=DeliveryState(row.state),
            kind=DeliveryKind(row.kind),
            is_under_way=row.is_under_way,
        )

    async def make_due(self, stopped: Stopped, *, manual: bool) -> Again | None:
        """Make a delivery due now, if it is still as it was seen and nobody has taken it."""
        row = await self._connection.row(
            _MAKE_DUE,
            {
                "day": stopped.day,
                "webhook_id": stopped.webhook_id,
                "event_id": stopped.event_id,
                "state": stopped.state.value,
                "manual": manual,
            },
        )
        if row is None:
            return None
        return Again(hook_id=row.hook_id, state=DeliveryState(row.state), attempts=row.attempts, due_at=row.due_at)

    async def record(self, activity: Activity) -> None:
        """Write a line of the activity log."""
        await record_activity(self._connection, activity)


async def _subject(
    connection: ReadConnection, workspace_id: str, webhook_id: uuid.UUID, *, lock: bool = False
) -> Subject | None:
    columns = (_w.id, _w.workspace_id, _w.name, _w.state, _w.triggers, _w.apply_to_all_descendants, _w.replaced_by)
    here = select(*columns).where(_w.id == webhook_id, _w.workspace_id == workspace_id)
    row = await connection.row(here.with_for_update(read=True) if lock else here)
    if row is None:
        return None
    return Subject(
        id=row.id,
        workspace_id=row.workspace_id,
        name=row.name,
        state=WebhookState(row.state),
        triggers=tuple(row.triggers),
        apply_to_all_descendants=row.apply_to_all_descendants,
        replaced_by=row.replaced_by,
    )


def _replay(row: Row[Any]) -> Replay:
    return Replay(
        id=row.id,
        webhook_id=row.webhook_id,
        workspace_id=row.workspace_id,
        state=ReplayState(row.state),
        since=row.since,
        include=tuple(row.includes),
        rate_per_s=row.rate_per_s,
        expected=row.expected,
        created_at=row.created_at,
        replayed=row.replayed,
        finished_at=row.finished_at,
        reason=row.reason,
    )
