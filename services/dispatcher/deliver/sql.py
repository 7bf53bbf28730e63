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

from coro_events.contract.bodies import PLACED_VERSIONS
from coro_events.contract.place import Place, place_of
from coro_events.rules.deliveries import DeliveryKind
from coro_events.runtime.clock import Clock
from coro_events.store.pending import pending_days
from coro_events.store.unit import Database
from services.dispatcher.deliver.ports import Backlog
from services.dispatcher.match.delivery import Delivery, Happening, Target
from services.dispatcher.match.targets import Targets, WebhookRow

# Deliveries of one claim at the most; the statement is planned for so many.
MOST_A_CLAIM = 400

# Webhooks looked at in one claim; the next claim goes on behind them.
WEBHOOKS_A_CLAIM = 200

_NOBODY = UUID(int=0)
_KINDS = {kind.value: kind for kind in DeliveryKind}

# How long the days with work are believed while each claim finds more than it can take.
DAYS_KNOWN_S = 0.25

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
    select j.webhook_id, w.state as webhook_state, w.replaced_by is not null as is_replaced,
           w.shadow_url is not null as shadows
    from (select webhook_id from jump where webhook_id is not null limit :webhooks) j
    left join webhooks w on w.id = j.webhook_id
    order by j.webhook_id
    """
)

# A claim writes no column that an index holds, so that PostgreSQL can rewrite the row in its page alone; rows under way
# stand in the way of later claims instead, and they are few.
# The rooms add up to no more than the limit of `chosen`: it tells the planner that these are few rows, which it cannot
# know of an array, and without it reads all events to join them; the ids are named again lest it read all webhooks.
_CLAIM = text(
    f"""
    with chosen as (
        select d.id
        from unnest(cast(:webhook_ids as uuid[]), cast(:rooms as int[]), cast(:manual_only as boolean[]),
                    cast(:shadows as boolean[])) as r (webhook_id, room, manual_only, shadows)
        cross join lateral (
            select ctid as id from deliveries
            where day = :day and webhook_id = r.webhook_id and state = 'pending' and due_at <= now()
                and (leased_until is null or leased_until <= now())
                and case when kind = 'shadow' then r.shadows else manual or not r.manual_only end
            order by due_at limit r.room for update skip locked
        ) d
        limit {MOST_A_CLAIM}
    ), claimed as (
        -- By the place of the row, which is locked: a key would be looked up once more.
        update deliveries d set claim = :claim, leased_until = now() + make_interval(secs => :lease_s)
        from chosen c where d.day = :day and d.ctid = c.id
        returning d.day, d.webhook_id, d.event_id, d.hook_id, d.kind, d.attempts, d.attempts_before, d.manual
    )
    -- `_deliveries` takes the first twelve by their places.
    select c.day, c.event_id, c.hook_id, c.kind, c.attempts, c.attempts_before, c.manual,
           e.type, e.workspace_id as event_workspace_id, e.occurred_at, cast(e.data as text) as data, e.traceparent,
           e.sequence, e.workspace_name, e.workspace_type, e.workspace_path,
           w.id, w.workspace_id, w.version, case when c.kind = 'shadow' then w.shadow_url else w.url end as url,
           w.secret_sealed, w.headers_sealed,
           case when w.previous_secret_until > now() then w.previous_secret_sealed end as previous_secret_sealed,
           v.expires_at, x.released_at as deprecated_at
    from claimed c
    join events e on e.day = :day and e.id = c.event_id
    -- Between the look and the claim a webhook may have expired, or a draft may have been published: nothing is sent
    -- then, and what is claimed is held back when its lease is over.
    join webhooks w on w.id = c.webhook_id and w.id = any (cast(:webhook_ids as uuid[])) and w.state <> 'expired'
        and (c.kind <> 'shadow' or w.shadow_url is not null)
    join webhook_versions v on v.version = w.version
    left join webhook_versions x on x.version = w.version + 1
    """  # noqa: S608 - a constant of this file
)

_RELEASE = text(
    """
    update deliveries d set claim = null, leased_until = null, due_at = least(d.due_at, now())
    from unnest(
        cast(:days as date[]), cast(:webhook_ids as uuid[]), cast(:event_ids as uuid[]), cast(:claims as uuid[])
    ) as r (day, webhook_id, event_id, claim)
    where d.day = r.day and d.webhook_id = r.webhook_id and d.event_id = r.event_id and d.claim = r.claim
        and d.state = 'pending'
    """
)

# Counting a million rows would take the database's time every few seconds for a number that nobody needs exactly.
COUNTED = 100_000

_BACKLOG = text(
    """
    select count(*) as due, coalesce(extract(epoch from now() - min(due_at)), 0) as oldest_s
    from (select due_at from deliveries where day = any (cast(:days as date[])) and state = 'pending'
              and due_at <= now() and (leased_until is null or leased_until <= now()) limit :counted) as counted
    """
)


# A draft gets what was planned while it was published, and shadows; events are not matched to it.
_GETS_NOTHING = frozenset({None, "expired"})


def is_stopped(webhook: Row[Any]) -> bool:
    """Return whether a webhook gets what a person asked for, and nothing else.

    What was planned for a webhook before its draft took over goes out all the same: nobody else sends it.
    """
    return webhook.webhook_state == "disabled" and not webhook.is_replaced


class SqlDueDeliveries:
    """Deliveries in PostgreSQL that nobody is working on."""

    def __init__(self, *, database: Database, targets: Targets, clock: Clock, lease_s: float) -> None:
        self._database = database
        self._targets = targets
        self._clock = clock
        self._lease_s = lease_s
        # Where the next look at a day's webhooks begins, so that none of many is always last.
        self._after: dict[date, UUID] = {}
        # Whether the last claim found more than it could take, and when the days with work were read.
        self._is_backlogged = False
        self._days_at = 0.0

    async def claim(self, room: Callable[[UUID], int], limit: int) -> Sequence[Delivery]:
        """Claim up to `limit` deliveries that are due, fairly over webhooks, at most as many each as there is room."""
        limit = min(limit, MOST_A_CLAIM)
        claimed: list[Delivery] = []
        taken: Counter[UUID] = Counter()

        def left(webhook_id: UUID) -> int:
            return room(webhook_id) - taken[webhook_id]

        for day in await self._days_with_work():
            if len(claimed) >= limit:
                break
            some = await self._claim_day(day, left, limit - len(claimed))
            taken.update(delivery.target.webhook_id for delivery in some)
            claimed += some
        self._is_backlogged = len(claimed) >= limit
        return claimed

    async def _days_with_work(self) -> list[date]:
        """Return the days that have anything pending, the oldest first; asked a few times a second under a backlog."""
        now = self._clock.monotonic()
        if not self._is_backlogged or now - self._days_at >= DAYS_KNOWN_S:
            async with self._database.autocommit() as connection:
                days = await pending_days(connection)
            self._after = {day: self._after.get(day, _NOBODY) for day in days}
            self._days_at = now
        return list(self._after)

    async def _waiting(self, day: date) -> Sequence[Row[Any]]:
        """Return the next webhooks that have something pending, with their states."""
        async with self._database.autocommit() as connection:
            rows = await connection.rows(
                _WAITING_WEBHOOKS, {"day": day, "after": self._after[day], "webhooks": WEBHOOKS_A_CLAIM}
            )
        self._after[day] = rows[-1].webhook_id if len(rows) == WEBHOOKS_A_CLAIM else _NOBODY
        return rows

    async def _claim_day(self, day: date, room: Callable[[UUID], int], limit: int) -> list[Delivery]:
        waiting = await self._waiting(day)
        webhooks = {row.webhook_id: row for row in waiting if row.webhook_state not in _GETS_NOTHING}
        rooms = {webhook_id: room(webhook_id) for webhook_id in webhooks}
        roomy = {webhook_id: free for webhook_id, free in rooms.items() if free > 0}
        if not roomy:
            return []
        if len(roomy) > limit:
            # There is not a place for each: some of them, from anywhere, so that none is always last.
            start = int(self._clock.chance() * len(roomy))
            roomy = dict((list(roomy.items()) * 2)[start : start + limit])
        # The same share for each that has work, so that a webhook with a million rows waits like one with ten.
        share = max(1, limit // len(roomy))
        claim, leased_until = uuid4(), self._clock.monotonic() + self._lease_s
        async with self._database.autocommit() as connection:
            rows = await connection.rows(
                _CLAIM,
                {
                    "day": day,
                    "webhook_ids": list(roomy),
                    "rooms": [min(free, share) for free in roomy.values()],
                    "manual_only": [is_stopped(webhooks[webhook_id]) for webhook_id in roomy],
                    "shadows": [webhooks[webhook_id].shadows for webhook_id in roomy],
                    "claim": claim,
                    "lease_s": self._lease_s,
                },
            )
        return self._deliveries(rows, claim, leased_until)

    def _deliveries(self, rows: Sequence[Row[Any]], claim: UUID, leased_until: float) -> list[Delivery]:
        """Make deliveries of claimed rows; those of one webhook to one URL share their target."""
        targets: dict[tuple[UUID, str], Target] = {}
        deliveries = []
        for row in rows:
            # By place: a row gives a column by its name in the time that it takes to make half a delivery.
            values: tuple[Any, ...] = tuple(row)
            day, event_id, hook_id, kind, attempts, attempts_before, manual = values[:7]
            type_, workspace_id, occurred_at, data, traceparent = values[7:12]
            key = (row.id, row.url)
            target = targets.get(key)
            if target is None:
                target = targets[key] = self._targets.of(cast("WebhookRow", row))
            place = _place(row) if target.version in PLACED_VERSIONS else None
            deliveries.append(
                Delivery(
                    day=day,
                    hook_id=hook_id,
                    kind=_KINDS[kind],
                    target=target,
                    happening=Happening(event_id, type_, workspace_id, occurred_at, data.encode(), traceparent, place),
                    attempts=attempts,
                    attempts_before=attempts_before,
                    manual=manual,
                    claim=claim,
                    leased_until=leased_until,
                )
            )
        return deliveries

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

    async def backlog(self) -> Backlog:
        """Count what is due, up to a limit."""
        async with self._database.read() as connection:
            days = await pending_days(connection)
            row = await connection.row(_BACKLOG, {"days": days, "counted": COUNTED})
        return Backlog(due=row.due, oldest_s=float(row.oldest_s)) if row is not None else Backlog(0, 0.0)


def _place(row: Row[Any]) -> Place | None:
    return place_of(row.workspace_name, row.workspace_type, row.workspace_path, row.sequence)
