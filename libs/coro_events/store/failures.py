"""Webhooks that were disabled because deliveries failed for good, and of which nobody was told by mail yet."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from coro_events.store.unit import ReadConnection, WriteConnection

# A webhook that was enabled again, replaced or removed meanwhile is no news any more.
_UNTOLD = text(
    """
    select a.id, a.at, a.workspace_id, w.id as webhook_id, w.name, w.disabled_reason,
        coalesce(w.state = 'disabled' and w.replaced_by is null, false) as is_news
    from activity_log a left join webhooks w on w.id = cast(a.subject as uuid)
    where a.action = 'webhook.disabled' and a.actor = 'system:dispatcher' and a.at > :since
        and not exists (select from mail_causes c where c.activity_id = a.id)
    order by a.at, a.id limit :limit
    """
)

_NOTE = text(
    "insert into mail_causes (activity_id, at)"
    " select id, at from unnest(cast(:ids as bigint[]), cast(:times as timestamptz[])) as g (id, at)"
    " on conflict do nothing returning activity_id"
)

# Never before the time is over by the database's clock too: a run dated in the future must not make old news new.
_FORGET = text(
    "delete from mail_causes where activity_id in (select activity_id from mail_causes"
    " where at < least(cast(:now as timestamptz), now()) - make_interval(secs => :kept_s) limit :limit)"
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A line of the activity log: the dispatcher has disabled a webhook.

    Attributes:
        webhook_id: None where the webhook is gone.
        is_news: Whether it still is disabled.
    """

    activity_id: int
    at: datetime
    workspace_id: str
    webhook_id: uuid.UUID | None
    name: str | None
    reason: str | None
    is_news: bool


async def untold(connection: ReadConnection, *, since: datetime, limit: int) -> list[Failure]:
    """Return failures since a time that are in no mail, the oldest first."""
    rows = await connection.rows(_UNTOLD, {"since": since, "limit": limit})
    return [
        Failure(row.id, row.at, row.workspace_id, row.webhook_id, row.name, row.disabled_reason, row.is_news)
        for row in rows
    ]


async def note(connection: WriteConnection, failures: list[Failure]) -> set[int]:
    """Put on record that they are told; return the ids of those that nobody else has told meanwhile."""
    params = {"ids": [one.activity_id for one in failures], "times": [one.at for one in failures]}
    return {row.activity_id for row in await connection.rows(_NOTE, params)}


async def forget_told(connection: WriteConnection, *, now: datetime, kept_s: float, limit: int) -> int:
    """Forget what was told of failures longer ago than that; return how many."""
    return (await connection.execute(_FORGET, {"now": now, "kept_s": kept_s, "limit": limit})).rowcount
