"""Moves what waits for stopped webhooks out of the way of claims, whatever else is waiting.

It begins with the webhooks that are stopped, which are few and are known, and not with the rows that wait, which may be
a million of a hundred thousand webhooks. Removed webhooks are known no more: for those it looks through the webhooks
that have anything waiting, some at a time, and goes on behind them.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import TextClause, text

from coro_events.store.pending import pending_days
from coro_events.store.unit import Database, WriteConnection

# Rows of one call at the most. Statements are planned for so many, else they read whole days to find the rows again.
MOST_A_CALL = 5_000

# Webhooks with something waiting that are looked at in one call, for those that were removed.
WEBHOOKS_A_LOOK = 5_000

_NOBODY = UUID(int=0)

# What is claimed is left to whoever records it, until its lease is over.
_FREE = "d.state = 'pending' and (d.claim is null or d.leased_until <= now())"

# True of every row. With it a statement that was planned while the day was empty takes the index of pending rows, and
# not the key, which would lead through all that is over.
_BY_DUE_TIME = "d.due_at < 'infinity'"

# What was found is locked, and found again by its whole key: of a place alone a plan may read the day for each row.
_MOVE = f"""
    update deliveries d set state = s.state, claim = null, leased_until = null, finished_at = now()
    from (select * from found limit {MOST_A_CALL}) s
    where d.day = s.day and d.webhook_id = s.webhook_id and d.event_id = s.event_id
"""  # noqa: S608 - a constant of this file

# Kept for a replay where the webhook was disabled, given up where it expired. What was planned before a draft took over
# goes out all the same: nobody else sends it.
_HOLD = text(
    f"""
    with found as materialized (
        select f.day, f.webhook_id, f.event_id, case w.state when 'disabled' then 'held' else 'discarded' end as state
        from webhooks w
        cross join unnest(cast(:days as date[])) as days (day)
        cross join lateral (
            select d.day, d.webhook_id, d.event_id from deliveries d
            where d.day = days.day and d.webhook_id = w.id and {_BY_DUE_TIME} and {_FREE}
                and not (d.manual and w.state = 'disabled')
            order by d.due_at limit :limit for update skip locked
        ) f
        where w.state = 'expired' or (w.state = 'disabled' and w.replaced_by is null)
        limit :limit
    )
    {_MOVE}
    """  # noqa: S608 - constants of this file
)

# What waits to be tried out by a draft that is published, removed, or tries nothing out any more. Its own index holds
# nothing but shadows that wait.
_DISCARD_SHADOWS = text(
    f"""
    with found as materialized (
        select f.day, f.webhook_id, f.event_id, 'discarded' as state
        from unnest(cast(:days as date[])) as days (day)
        cross join lateral (
            select d.day, d.webhook_id, d.event_id from deliveries d left join webhooks w on w.id = d.webhook_id
            where d.day = days.day and d.kind = 'shadow' and {_FREE} and w.shadow_url is null
            limit :limit for update of d skip locked
        ) f
        limit :limit
    )
    {_MOVE}
    """  # noqa: S608 - constants of this file
)

# A loose index scan: jump from webhook to webhook in the index of pending rows instead of reading all rows of each.
# The last one tells where the next look begins, whether or not it is there.
_WAITING_WEBHOOKS = text(
    """
    with recursive jump as (
        select cast(:after as uuid) as webhook_id, 0 as number
        union all
        select n.webhook_id, j.number + 1 from jump j cross join lateral (
            select d.webhook_id from unnest(cast(:days as date[])) as days (day) cross join lateral (
                select webhook_id from deliveries
                where day = days.day and state = 'pending' and webhook_id > j.webhook_id
                order by webhook_id, due_at limit 1
            ) d
            order by d.webhook_id limit 1
        ) n
        where j.number < :webhooks
    )
    select j.webhook_id, w.id is null as is_removed, j.number = :webhooks as is_last
    from jump j left join webhooks w on w.id = j.webhook_id
    where j.number > 0 and (w.id is null or j.number = :webhooks)
    """
)

_DISCARD_REMOVED = text(
    f"""
    with found as materialized (
        select f.day, f.webhook_id, f.event_id, 'discarded' as state
        from unnest(cast(:webhook_ids as uuid[])) as r (id)
        cross join unnest(cast(:days as date[])) as days (day)
        cross join lateral (
            select d.day, d.webhook_id, d.event_id from deliveries d
            where d.day = days.day and d.webhook_id = r.id and {_BY_DUE_TIME} and {_FREE}
            order by d.due_at limit :limit for update skip locked
        ) f
        limit :limit
    )
    {_MOVE}
    """  # noqa: S608 - constants of this file
)


class SqlStoppedDeliveries:
    """Deliveries in PostgreSQL that wait for stopped webhooks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Where the next look for removed webhooks begins.
        self._after = _NOBODY

    async def hold_back(self, limit: int) -> int:
        """Move what waits for disabled webhooks to held, for removed and expired ones to discarded; return how many."""
        limit = min(limit, MOST_A_CALL)
        async with self._database.autocommit() as connection:
            days = await pending_days(connection)
            if not days:
                return 0
            moved = await _move(connection, _HOLD, days, limit)
            moved += await _move(connection, _DISCARD_SHADOWS, days, limit - moved)
            return moved + await self._discard_removed(connection, days, limit - moved)

    async def _discard_removed(self, connection: WriteConnection, days: Sequence[date], limit: int) -> int:
        rows = await connection.rows(
            _WAITING_WEBHOOKS, {"days": days, "after": self._after, "webhooks": WEBHOOKS_A_LOOK}
        )
        removed = [row.webhook_id for row in rows if row.is_removed]
        moved = await _move(connection, _DISCARD_REMOVED, days, limit, webhook_ids=removed) if removed else 0
        if moved < limit:
            self._after = next((row.webhook_id for row in rows if row.is_last), _NOBODY)
        return moved


async def _move(
    connection: WriteConnection, statement: TextClause, days: Sequence[date], limit: int, **params: object
) -> int:
    """Move up to so many rows in one transaction of its own; return how many."""
    if limit <= 0:
        return 0
    return (await connection.execute(statement, {"days": days, "limit": limit, **params})).rowcount
