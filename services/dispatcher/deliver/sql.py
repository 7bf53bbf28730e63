"""Claims of what is due: fair over webhooks, skipping what another replica holds and lanes that are full.

Whole days are looked at one after the other, because a day is a partition: each statement then touches one partition
and its index alone.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.engine import Row

from coro_events.rules.deliveries import DeliveryKind
from coro_events.runtime.clock import Clock
from coro_events.store.unit import Database
from services.dispatcher.deliver.ports import Backlog
from services.dispatcher.match.delivery import Delivery, Happening
from services.dispatcher.match.targets import Targets, WebhookRow

# Webhooks looked at in one claim; the next claim goes on behind them.
WEBHOOKS_A_CLAIM = 200

_NOBODY = UUID(int=0)

# Days that have anything pending. Each partition answers from its index of pending rows, nearly always empty.
_PENDING_DAYS = text(
    """
    select days.day from (
        select cast(cast(right(c.relname, 8) as text) as date) as day
        from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = cast('deliveries' as regclass)
    ) as days
    cross join lateral (select from deliveries d where d.day = days.day and d.state = 'pending' limit 1) as found
    order by days.day
    """
)

# A loose index scan: jump from webhook to webhook in the index of pending rows instead of reading all rows of each.
_WAITING_WEBHOOKS = text(
    """
    with recursive jump as (
        (select webhook_id from deliveries
         where day = :day and state = 'pending' and webhook_id > :after order by webhook_id limit 1)
        union all
        select (select d.webhook_id from deliveries d
                where d.day = :day and d.state = 'pending' and d.webhook_id > j.webhook_id
                order by d.webhook_id limit 1)
        from jump j where j.webhook_id is not null
    )
    select j.webhook_id, w.state as webhook_state
    from (select webhook_id from jump where webhook_id is not null limit :webhooks) j
    left join webhooks w on w.id = j.webhook_id
    order by j.webhook_id
    """
)

# The rooms never add up to the limit of `chosen`: it tells the planner that these are few rows, which it cannot know of
# an array, and without it reads all events and webhooks to join them.
_CLAIM = text(
    """
    with chosen as (
        select d.day, d.webhook_id, d.event_id
        from unnest(cast(:webhook_ids as uuid[]), cast(:rooms as int[]), cast(:manual_only as boolean[]))
            as r (webhook_id, room, manual_only)
        cross join lateral (
            select day, webhook_id, event_id from deliveries
            where day = :day and webhook_id = r.webhook_id and state = 'pending' and due_at <= now()
                and (manual or not r.manual_only)
            order by due_at limit r.room for update skip locked
        ) d
        limit 1000
    ), claimed as (
        update deliveries d set claim = :claim, due_at = now() + make_interval(secs => :lease_s)
        from chosen c where d.day = :day and d.webhook_id = c.webhook_id and d.event_id = c.event_id
        returning d.day, d.webhook_id, d.event_id, d.hook_id, d.kind, d.attempts, d.attempts_before, d.manual
    )
    select c.day, c.event_id, c.hook_id, c.kind, c.attempts, c.attempts_before, c.manual,
           e.type, e.workspace_id as event_workspace_id, e.occurred_at, cast(e.data as text) as data, e.traceparent,
           w.id, w.workspace_id, w.version, w.url, w.secret_sealed, w.headers_sealed,
           case when w.previous_secret_until > now() then w.previous_secret_sealed end as previous_secret_sealed
    from claimed c
    join events e on e.day = :day and e.id = c.event_id
    join webhooks w on w.id = c.webhook_id
    """
)

_RELEASE = text(
    """
    update deliveries d set claim = null, due_at = now()
    from unnest(
        cast(:days as date[]), cast(:webhook_ids as uuid[]), cast(:event_ids as uuid[]), cast(:claims as uuid[])
    ) as r (day, webhook_id, event_id, claim)
    where d.day = r.day and d.webhook_id = r.webhook_id and d.event_id = r.event_id and d.claim = r.claim
        and d.state = 'pending'
    """
)

# What waits for a webhook that gets nothing: kept for a replay where it was disabled, given up where it is gone. What
# is in flight (claimed and within its lease) is left to whoever records it, and what a person asked for goes out.
_SETTLE = text(
    """
    update deliveries d set state = :state, claim = null, finished_at = now()
    from (
        select day, webhook_id, event_id from deliveries
        where day = :day and webhook_id = :webhook_id and state = 'pending' and (claim is null or due_at <= now())
            and not (manual and :keep_manual)
        limit :limit for update skip locked
    ) as s
    where d.day = :day and d.webhook_id = s.webhook_id and d.event_id = s.event_id
    """
)


# Counting a million rows would take the database's time every few seconds for a number that nobody needs exactly.
COUNTED = 100_000

_BACKLOG = text(
    """
    select count(*) as due, coalesce(extract(epoch from now() - min(due_at)), 0) as oldest_s
    from (select due_at from deliveries where day = any (cast(:days as date[])) and state = 'pending'
              and due_at <= now() limit :counted) as counted
    """
)


class SqlDueDeliveries:
    """Deliveries in PostgreSQL that nobody is working on."""

    def __init__(self, *, database: Database, targets: Targets, clock: Clock, lease_s: float) -> None:
        self._database = database
        self._targets = targets
        self._clock = clock
        self._lease_s = lease_s
        # Where the next look at a day's webhooks begins, so that none of many is always last.
        self._after: dict[date, UUID] = {}

    async def claim(self, room: Callable[[UUID], int], limit: int) -> Sequence[Delivery]:
        """Claim up to `limit` deliveries that are due, fairly over webhooks, at most as many each as there is room."""
        claimed: list[Delivery] = []
        taken: Counter[UUID] = Counter()

        def left(webhook_id: UUID) -> int:
            return room(webhook_id) - taken[webhook_id]

        async with self._database.read() as connection:
            days = [row.day for row in await connection.rows(_PENDING_DAYS)]
        self._after = {day: self._after.get(day, _NOBODY) for day in days}
        for day in days:
            if len(claimed) >= limit:
                break
            some = await self._claim_day(day, left, limit - len(claimed))
            taken.update(delivery.target.webhook_id for delivery in some)
            claimed += some
        return claimed

    async def _waiting(self, day: date) -> Sequence[Row[Any]]:
        """Return the next webhooks that have something pending, with their states."""
        async with self._database.read() as connection:
            rows = await connection.rows(
                _WAITING_WEBHOOKS, {"day": day, "after": self._after[day], "webhooks": WEBHOOKS_A_CLAIM}
            )
        self._after[day] = rows[-1].webhook_id if len(rows) == WEBHOOKS_A_CLAIM else _NOBODY
        return rows

    async def _claim_day(self, day: date, room: Callable[[UUID], int], limit: int) -> list[Delivery]:
        waiting = await self._waiting(day)
        # A disabled webhook gets what a person asked for, and nothing else.
        states = {row.webhook_id: row.webhook_state for row in waiting}
        rooms = {key: room(key) for key, state in states.items() if state in {"enabled", "disabled"}}
        roomy = {webhook_id: free for webhook_id, free in rooms.items() if free > 0}
        if not roomy:
            return []
        # The same share for each that has work, so that a webhook with a million rows waits like one with ten.
        share = max(1, limit // len(roomy))
        claim, leased_until = uuid4(), self._clock.monotonic() + self._lease_s
        async with self._database.write() as connection:
            rows = await connection.rows(
                _CLAIM,
                {
                    "day": day,
                    "webhook_ids": list(roomy),
                    "rooms": [min(free, share) for free in roomy.values()],
                    "manual_only": [states[webhook_id] != "enabled" for webhook_id in roomy],
                    "claim": claim,
                    "lease_s": self._lease_s,
                },
            )
        return [self._delivery(row, claim, leased_until) for row in rows]

    def _delivery(self, row: Row[Any], claim: UUID, leased_until: float) -> Delivery:
        return Delivery(
            day=row.day,
            hook_id=row.hook_id,
            kind=DeliveryKind(row.kind),
            target=self._targets.of(cast("WebhookRow", row)),
            happening=Happening(
                event_id=row.event_id,
                type=row.type,
                workspace_id=row.event_workspace_id,
                occurred_at=row.occurred_at,
                data=row.data.encode(),
                traceparent=row.traceparent,
            ),
            attempts=row.attempts,
            attempts_before=row.attempts_before,
            manual=row.manual,
            claim=claim,
            leased_until=leased_until,
        )

    async def release(self, deliveries: Sequence[Delivery]) -> None:
        """Give up claims, so that any replica may take the deliveries at once."""
        if not deliveries:
            return
        async with self._database.write() as connection:
            await connection.execute(
                _RELEASE,
                {
                    "days": [delivery.day for delivery in deliveries],
                    "webhook_ids": [delivery.target.webhook_id for delivery in deliveries],
                    "event_ids": [delivery.happening.event_id for delivery in deliveries],
                    "claims": [delivery.claim for delivery in deliveries],
                },
            )

    async def settle(self, limit: int) -> int:
        """Move waiting deliveries of disabled webhooks to held and of removed ones to discarded; return how many."""
        settled = 0
        async with self._database.read() as connection:
            days = [row.day for row in await connection.rows(_PENDING_DAYS)]
        for day in days:
            for row in await self._waiting_from_start(day):
                if row.webhook_state in {"enabled", "draft"} or settled >= limit:
                    continue
                state = "discarded" if row.webhook_state is None else "held"
                async with self._database.write() as connection:
                    moved = await connection.execute(
                        _SETTLE,
                        {
                            "day": day,
                            "webhook_id": row.webhook_id,
                            "state": state,
                            "keep_manual": row.webhook_state == "disabled",
                            "limit": limit - settled,
                        },
                    )
                settled += moved.rowcount
        return settled

    async def _waiting_from_start(self, day: date) -> Sequence[Row[Any]]:
        async with self._database.read() as connection:
            return await connection.rows(_WAITING_WEBHOOKS, {"day": day, "after": _NOBODY, "webhooks": 10_000})

    async def backlog(self) -> Backlog:
        """Count what is due, up to a limit."""
        async with self._database.read() as connection:
            days = [row.day for row in await connection.rows(_PENDING_DAYS)]
            row = await connection.row(_BACKLOG, {"days": days, "counted": COUNTED})
        return Backlog(due=row.due, oldest_s=float(row.oldest_s)) if row is not None else Backlog(0, 0.0)
