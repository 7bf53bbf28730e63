"""Replays in PostgreSQL: a step locks its replay's row, so that replicas share the work and never a batch."""

import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Row

from coro_events.runtime.clock import Clock
from coro_events.store.replaying import FAILED, HELD, MISSED, PLAN_MISSED, TAKE_UP_STOPPED, first_day_of
from coro_events.store.unit import Database, WriteConnection
from services.dispatcher.replay.ports import Step

# The largest batch, and how often a second there is one at most: short transactions, smooth traffic.
LARGEST_BATCH = 500
BATCHES_A_SECOND = 2

_NOBODY = UUID(int=0)

_NEXT = text(
    """
    select r.*, w.state as webhook_state, w.workspace_id as webhook_workspace_id, w.apply_to_all_descendants, w.triggers
    from replays r join webhooks w on w.id = r.webhook_id
    where r.state = 'running' and r.next_at <= now()
    order by r.next_at limit 1 for update of r skip locked
    """
)

_ADVANCE = text(
    """
    update replays set cursor_day = :cursor_day, cursor_at = :cursor_at, cursor_id = :cursor_id,
        replayed = replayed + :replayed, next_at = now() + make_interval(secs => :pause_s)
    where id = :id
    """
)

_END = text("update replays set state = :state, reason = :reason, finished_at = now() where id = :id")

_LOG_ACTIVITY = text(
    "insert into activity_log (workspace_id, actor, action, subject, detail)"
    " values (:workspace_id, 'system:dispatcher', :action, :subject, cast(cast(:detail as text) as jsonb))"
)


class SqlReplays:
    """Takes steps of replays."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def step(self) -> Step | None:
        """Take one batch of the replay that has waited longest, in one transaction; none where nothing is due."""
        async with self._database.write() as connection:
            replay = await connection.row(_NEXT)
            if replay is None:
                return None
            if replay.webhook_state != "enabled":
                reason = f"the webhook is {replay.webhook_state}"
                return await self._end(connection, replay, "cancelled", reason=reason, replayed=0)
            return await self._take(connection, replay)

    async def _take(self, connection: WriteConnection, replay: Row[Any]) -> Step:
        batch = max(1, min(LARGEST_BATCH, replay.rate_per_s // BATCHES_A_SECOND))
        states = [state for state in (HELD, FAILED) if state in replay.includes]
        if states:
            taken = await connection.execute(TAKE_UP_STOPPED, {**_scope(replay), "states": states, "batch": batch})
            if taken.rowcount:
                cursor = (replay.cursor_day, replay.cursor_at, replay.cursor_id)
                return await self._advance(connection, replay, cursor, taken.rowcount)
        if MISSED not in replay.includes:
            return await self._end(connection, replay, "done", reason=None, replayed=0)
        return await self._plan_missed(connection, replay, batch)

    async def _plan_missed(self, connection: WriteConnection, replay: Row[Any], batch: int) -> Step:
        rows = await connection.rows(
            PLAN_MISSED,
            {
                **_scope(replay),
                "workspace_id": replay.webhook_workspace_id,
                "descend": replay.apply_to_all_descendants,
                "triggers": replay.triggers,
                "day": replay.cursor_day,
                "cursor_at": replay.cursor_at,
                "cursor_id": replay.cursor_id,
                "batch": batch,
            },
        )
        if rows:
            last = rows[0]
            cursor = (replay.cursor_day, last.occurred_at, last.id)
            return await self._advance(connection, replay, cursor, last.planned)
        # The day is done. The last one may be tomorrow's, by clocks that are ahead of ours.
        following: date = replay.cursor_day + timedelta(days=1)
        if following > self._clock.now().date() + timedelta(days=1):
            return await self._end(connection, replay, "done", reason=None, replayed=0)
        return await self._advance(connection, replay, (following, replay.since, _NOBODY), 0)

    async def _advance(
        self, connection: WriteConnection, replay: Row[Any], cursor: tuple[date, object, UUID], replayed: int
    ) -> Step:
        cursor_day, cursor_at, cursor_id = cursor
        await connection.execute(
            _ADVANCE,
            {
                "id": replay.id,
                "cursor_day": cursor_day,
                "cursor_at": cursor_at,
                "cursor_id": cursor_id,
                "replayed": replayed,
                "pause_s": replayed / replay.rate_per_s,
            },
        )
        return Step(replay.id, replay.webhook_id, replayed, "running")

    async def _end(
        self, connection: WriteConnection, replay: Row[Any], state: str, *, reason: str | None, replayed: int
    ) -> Step:
        await connection.execute(_END, {"id": replay.id, "state": state, "reason": reason})
        detail = {"replayId": str(replay.id), "replayed": replay.replayed + replayed, "reason": reason}
        await connection.execute(
            _LOG_ACTIVITY,
            {
                "workspace_id": replay.webhook_workspace_id,
                "action": "webhook.replayed" if state == "done" else "webhook.replay_cancelled",
                "subject": str(replay.webhook_id),
                "detail": json.dumps(detail),
            },
        )
        return Step(replay.id, replay.webhook_id, replayed, state)


def _scope(replay: Row[Any]) -> dict[str, object]:
    return {
        "webhook_id": replay.webhook_id,
        "first_day": first_day_of(replay.since),
        "since": replay.since,
        "until": replay.created_at,
    }
