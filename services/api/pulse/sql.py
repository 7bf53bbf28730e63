"""What became of deliveries, in PostgreSQL."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from coro_events.store.unit import Database
from services.api.pulse.ports import Counted

# So many deliveries of an hour are looked at: a busy webhook has a hundred thousand, and a share needs no more.
LOOKED_AT = 30
# A day is that of the event; one more for events that took long, two ahead for clocks that differ. What was replayed
# of older events is left out, and with it all older partitions.
_DAYS_BACK = timedelta(days=2)
_DAYS_AHEAD = timedelta(days=2)

# One look at an index for each webhook and hour, so the price does not grow with the history.
_BY_HOUR = text("""
    select w.id as webhook_id, h.ago, count(*) filter (where d.state = 'delivered') as delivered,
        count(*) filter (where d.state = 'failed') as failed, count(*) as seen
    from unnest(cast(:webhook_ids as uuid[])) as w(id)
    cross join generate_series(0, cast(:hours as int) - 1) as h(ago)
    cross join lateral (
        select state, kind from deliveries
        where webhook_id = w.id and day between :first_day and :last_day
            and created_at > cast(:now as timestamptz) - make_interval(hours => h.ago + 1)
            and created_at <= cast(:now as timestamptz) - make_interval(hours => h.ago)
        order by created_at desc limit :looked_at
    ) d
    where d.kind = 'event'
    group by w.id, h.ago
""")


class SqlOutcomes:
    """What became of deliveries, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_hour(self, webhook_ids: Sequence[uuid.UUID], now: datetime, *, hours: int) -> list[Counted]:
        """Return the hours in which something was delivered or failed."""
        today = now.astimezone(UTC).date()
        params = {
            "webhook_ids": list(webhook_ids),
            "hours": hours,
            "now": now,
            "first_day": today - _DAYS_BACK,
            "last_day": today + _DAYS_AHEAD,
            "looked_at": LOOKED_AT,
        }
        async with self._database.read() as connection:
            rows = await connection.rows(_BY_HOUR, params)
        return [Counted(row.webhook_id, row.ago, row.delivered, row.failed, whole=row.seen < LOOKED_AT) for row in rows]
