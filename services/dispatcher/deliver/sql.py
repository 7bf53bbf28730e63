"""Claims of what is due: fair over webhooks and days, skipping what another replica holds and lanes that are full.

A day is a partition. Statements go through the days that have anything pending, which are few, one by one: PostgreSQL
leaves out the partitions of all others where a day is one value, and not where it is any of an array.
"""

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
from coro_events.store.unit import Database, WriteConnection
from services.dispatcher.deliver.ports import Backlog
from services.dispatcher.match.delivery import Delivery, Happening, Target
from services.dispatcher.match.targets import Targets, WebhookRow

# Deliveries of one claim at the most; the statement is planned for so many.
MOST_A_CLAIM = 400

# Webhooks with something due that share one claim, and those looked at to find them; the next one goes on behind them.
WEBHOOKS_A_CLAIM = 200
JUMPS_A_CLAIM = 2_000

_NOBODY = UUID(int=0)
_KINDS = {kind.value: kind for kind in DeliveryKind}

# How long a look at what has work is believed while each claim finds more than it can take.
KNOWN_S = 0.25

# A loose index scan: jump from webhook to webhook in the index of pending rows instead of reading all rows of each. The
# first row of a webhook is the one that is due first. The row that reaches the limit of jumps tells where the next look
# begins, whether or not anything of it is due.
_WAITING_WEBHOOKS = text(
    """
    with recursive jump as (
        select cast(:after as uuid) as webhook_id, cast(null as timestamptz) as due_at, 0 as number
        union all
        select n.webhook_id, n.due_at, j.number + 1 from jump j cross join lateral (
            select d.webhook_id, d.due_at from unnest(cast(:days as date[])) as days (day) cross join lateral (
                select webhook_id, due_at from deliveries
                where day = days.day and state = 'pending' and webhook_id > j.webhook_id
                order by webhook_id, due_at limit 1
            ) d
            order by d.webhook_id, d.due_at limit 1
        ) n
        where j.number < :jumps
    )
    select j.webhook_id, j.due_at <= now() as is_due, j.number = :jumps as is_last from jump j
    where j.due_at <= now() or j.number = :jumps
    limit :webhooks
    """
)

# A claim writes no column that an index holds, so that PostgreSQL can rewrite the row in its page alone; rows under way
# stand in the way of later claims instead, and they are few.
# Of one webhook the rows of all days are taken by their due time, so that no day waits for another.
# The state of a webhook is read here and not before, so that one that was stopped a moment ago gets nothing.
# The rooms add up to no more than the limit of `chosen`: it tells the planner that these are few rows, which it cannot
# know of an array. `offset 0` keeps what is looked up by its key from being joined by reading all of it.
_CLAIM = f"""
    with chosen as (
        select d.day, d.place, w.*
        from unnest(cast(:webhook_ids as uuid[]), cast(:rooms as int[])) as r (webhook_id, room)
        cross join lateral (
            select w.id, w.workspace_id, w.version, w.url, w.shadow_url, w.secret_sealed, w.headers_sealed,
                   case when w.previous_secret_until > now() then w.previous_secret_sealed end
                       as previous_secret_sealed,
                   v.expires_at, x.released_at as deprecated_at,
                   -- What was planned before a draft took over goes out all the same: nobody else sends it.
                   w.state = 'disabled' and w.replaced_by is null as is_stopped
            from webhooks w join webhook_versions v on v.version = w.version
            left join webhook_versions x on x.version = w.version + 1
            where w.id = r.webhook_id and w.state <> 'expired'
            offset 0
        ) w
        cross join lateral (
            {{rows}}
        ) d
        limit {MOST_A_CLAIM}
    ), claimed as (
        -- By the place of the row, which is locked: a key would be looked up once more. The day is each row's: of one
        -- that is named PostgreSQL may read the whole key instead.
        update deliveries d set claim = :claim, leased_until = now() + make_interval(secs => :lease_s)
        from chosen c where d.day = c.day and d.ctid = c.place
        returning d.day, d.event_id, d.hook_id, d.kind, d.attempts, d.attempts_before, d.manual, c.id, c.workspace_id,
                  c.version, case when d.kind = 'shadow' then c.shadow_url else c.url end as url, c.secret_sealed,
                  c.headers_sealed, c.previous_secret_sealed, c.expires_at, c.deprecated_at
    )
    -- `_deliveries` takes the first fourteen by their places.
    select c.day, c.event_id, c.hook_id, c.kind, c.attempts, c.attempts_before, c.manual,
           e.type, e.workspace_id as event_workspace_id, e.occurred_at, e.data, e.traceparent, c.id, c.url,
           e.sequence, e.workspace_name, e.workspace_type, e.workspace_path,
           c.workspace_id, c.version, c.secret_sealed, c.headers_sealed, c.previous_secret_sealed, c.expires_at,
           c.deprecated_at
    from claimed c
    cross join lateral (
        select e.type, e.workspace_id, e.occurred_at, cast(e.data as text) as data, e.traceparent,
               e.sequence, e.workspace_name, e.workspace_type, e.workspace_path
        from events e where e.day = {{day}} and e.id = c.event_id
        offset 0
    ) e
    """  # noqa: S608 - a constant of this file

_ROWS_OF_DAY = """
                select day, ctid as place, due_at from deliveries
                where day = {day} and webhook_id = w.id and state = 'pending' and due_at <= now()
                    and (leased_until is null or leased_until <= now())
                    and case when kind = 'shadow' then w.shadow_url is not null else manual or not w.is_stopped end
                order by due_at limit r.room for update skip locked
"""

# The rows of several days.
_ROWS_OF_DAYS = f"""
            select d.day, d.place from unnest(cast(:days as date[])) as days (day)
            cross join lateral ({_ROWS_OF_DAY.format(day="days.day")}) d
            order by d.due_at limit r.room
"""  # noqa: S608 - a constant of this file

_CLAIM_OF_DAYS = text(_CLAIM.format(rows=_ROWS_OF_DAYS, day="c.day"))

# Nearly always all that is due is of one day. Named once, PostgreSQL finds its partition once and not for each row.
_CLAIM_OF_DAY = text(_CLAIM.format(rows=_ROWS_OF_DAY.format(day=":day"), day=":day"))

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
    from (
        select d.due_at from unnest(cast(:days as date[])) as days (day) cross join lateral (
            select due_at from deliveries where day = days.day and state = 'pending'
                and due_at <= now() and (leased_until is null or leased_until <= now())
            order by webhook_id, due_at limit :counted
        ) d
        limit :counted
    ) as counted
    """
)


class SqlDueDeliveries:
    """Deliveries in PostgreSQL that nobody is working on."""

    def __init__(self, *, database: Database, targets: Targets, clock: Clock, lease_s: float) -> None:
        self._database = database
        self._targets = targets
        self._clock = clock
        self._lease_s = lease_s
        # Where the next look at webhooks begins, so that none of many is always last.
        self._after = _NOBODY
        # What the last looks saw, and when; both are believed for a moment while claims find more than they can take.
        self._days = list[date]()
        self._days_at = 0.0
        self._waiting = list[UUID]()
        self._saw_all = False
        self._is_backlogged = False

    async def claim(self, room: Callable[[UUID], int], limit: int) -> Sequence[Delivery]:
        """Claim up to `limit` deliveries that are due, fairly over webhooks, at most as many each as there is room."""
        limit = min(limit, MOST_A_CLAIM)
        async with self._database.autocommit() as connection:
            waiting = await self._waiting_webhooks(connection)
            roomy = [(webhook_id, free) for webhook_id in waiting if (free := room(webhook_id)) > 0]
            if len(roomy) > limit:
                # There is not a place for each: some of them, from anywhere, so that none is always last.
                start = int(self._clock.chance() * len(roomy))
                roomy = (roomy * 2)[start : start + limit]
            if not roomy:
                self._is_backlogged = False
                return []
            # The same share for each that has work, so that a webhook with a million rows waits like one with ten.
            share = max(1, limit // len(roomy))
            claim, leased_until = uuid4(), self._clock.monotonic() + self._lease_s
            one_day = len(self._days) == 1
            rows = await connection.rows(
                _CLAIM_OF_DAY if one_day else _CLAIM_OF_DAYS,
                {
                    **({"day": self._days[0]} if one_day else {"days": self._days}),
                    "webhook_ids": [webhook_id for webhook_id, _ in roomy],
                    "rooms": [min(free, share) for _, free in roomy],
                    "claim": claim,
                    "lease_s": self._lease_s,
                },
            )
        self._is_backlogged = len(rows) >= limit
        return self._deliveries(rows, claim, leased_until)

    async def _waiting_webhooks(self, connection: WriteConnection) -> list[UUID]:
        """Return the next webhooks that have something due.

        Under a backlog of few webhooks they are asked for a few times a second, else for each claim.
        """
        is_known = self._is_backlogged and self._clock.monotonic() - self._days_at < KNOWN_S
        if not is_known:
            self._days = await pending_days(connection)
            self._days_at = self._clock.monotonic()
        elif self._saw_all:
            return self._waiting
        rows = await connection.rows(
            _WAITING_WEBHOOKS,
            {"days": self._days, "after": self._after, "webhooks": WEBHOOKS_A_CLAIM, "jumps": JUMPS_A_CLAIM},
        )
        is_behind = len(rows) == WEBHOOKS_A_CLAIM or any(row.is_last for row in rows)
        self._saw_all = self._after == _NOBODY and not is_behind
        self._after = rows[-1].webhook_id if is_behind else _NOBODY
        self._waiting = [row.webhook_id for row in rows if row.is_due]
        return self._waiting

    def _deliveries(self, rows: Sequence[Row[Any]], claim: UUID, leased_until: float) -> list[Delivery]:
        """Make deliveries of claimed rows; those of one webhook to one URL share their target."""
        targets: dict[tuple[UUID, str], Target] = {}
        deliveries = []
        for row in rows:
            # By place: a row gives a column by its name in the time that it takes to make half a delivery.
            values: tuple[Any, ...] = tuple(row)
            day, event_id, hook_id, kind, attempts, attempts_before, manual = values[:7]
            type_, workspace_id, occurred_at, data, traceparent, webhook_id, url = values[7:14]
            target = targets.get((webhook_id, url))
            if target is None:
                target = targets[webhook_id, url] = self._targets.of(cast("WebhookRow", row))
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
