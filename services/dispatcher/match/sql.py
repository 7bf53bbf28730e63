"""The planning transaction: events stored, matched, their deliveries inserted, the offsets advanced.

Configurations are read anew for every batch: a webhook created or edited a millisecond ago counts, and there is no
cache to invalidate.
"""

from datetime import date
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

from sqlalchemy import text

from coro_events.contract.bodies import TEST_DATA
from coro_events.contract.envelope import Event
from coro_events.runtime.clock import Clock
from coro_events.store.partitions import make_partitions
from coro_events.store.unit import Database, WriteConnection
from services.dispatcher.intake.batch import Decoded
from services.dispatcher.intake.ports import Fence, Tree
from services.dispatcher.match.delivery import Delivery
from services.dispatcher.match.plan import Match, Plan, Room, day_of, plan_deliveries, plan_tests
from services.dispatcher.match.targets import Targets, WebhookRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Row

# The last row, without a webhook, holds the events of workspaces that nobody has announced.
# One round trip: store what is new, and match nothing but that. A repeated event is planned by its first copy alone.
_STORE_AND_MATCH = text(
    """
    with incoming as materialized (
        select * from unnest(
            cast(:days as date[]), cast(:ids as uuid[]), cast(:sources as text[]), cast(:source_ids as text[]),
            cast(:workspace_ids as text[]), cast(:types as text[]), cast(:times as timestamptz[]),
            cast(:traceparents as text[]), cast(:data as text[])
        ) with ordinality as t (day, id, source, source_id, workspace_id, type, occurred_at, traceparent, data, i)
    ), stored as (
        insert into events (day, id, source, source_id, workspace_id, type, occurred_at, traceparent, data)
        select day, id, source, source_id, workspace_id, type, occurred_at, traceparent, cast(data as json)
        from incoming on conflict do nothing returning id
    )
    select w.id, w.workspace_id, w.version, w.url, w.secret_sealed, w.headers_sealed,
           case when w.previous_secret_until > now() then w.previous_secret_sealed end as previous_secret_sealed,
           array_agg(n.id order by n.i) as event_ids
    from stored s
    join incoming n on n.id = s.id
    join workspaces k on k.id = n.workspace_id
    join webhooks w on w.workspace_id = any (k.path) and w.state = 'enabled'
        and (w.apply_to_all_descendants or w.workspace_id = k.id) and n.type = any (w.triggers)
    group by w.id
    union all
    select null, null, null, null, null, null, null, array_agg(n.id)
    from stored s join incoming n on n.id = s.id left join workspaces k on k.id = n.workspace_id
    where k.id is null having count(*) > 0
    """
)

_INSERT_DELIVERIES = text(
    """
    insert into deliveries (day, webhook_id, event_id, hook_id, workspace_id, kind, manual, due_at, claim)
    select d.day, d.webhook_id, d.event_id, d.hook_id, d.workspace_id, :kind, :kind = 'test',
           case when d.claimed then now() + make_interval(secs => :lease_s) else now() end,
           case when d.claimed then cast(:claim as uuid) end
    from unnest(
        cast(:days as date[]), cast(:webhook_ids as uuid[]), cast(:event_ids as uuid[]), cast(:hook_ids as uuid[]),
        cast(:workspace_ids as text[]), cast(:claimed as boolean[])
    ) as d (day, webhook_id, event_id, hook_id, workspace_id, claimed)
    on conflict do nothing
    """
)

_STORE_TESTS = text(
    """
    insert into events (day, id, source, source_id, workspace_id, type, occurred_at, data)
    select day, id, 'coro/test', cast(id as text), workspace_id, 'test', occurred_at, cast(:data as json)
    from unnest(cast(:days as date[]), cast(:ids as uuid[]), cast(:workspace_ids as text[]),
                cast(:times as timestamptz[])) as t (day, id, workspace_id, occurred_at)
    on conflict do nothing returning id
    """
)

# Whatever its state: a disabled webhook is tested before it is enabled again.
_LOAD_TARGETS = text(
    "select id, workspace_id, version, url, secret_sealed, headers_sealed,"
    " case when previous_secret_until > now() then previous_secret_sealed end as previous_secret_sealed from webhooks"
    " where id = any (cast(:ids as uuid[]))"
)


class SqlPlanner:
    """Plans batches in PostgreSQL."""

    def __init__(
        self,
        *,
        database: Database,
        fence: Fence,
        tree: Tree,
        targets: Targets,
        clock: Clock,
        lease_s: float,
    ) -> None:
        self._database = database
        self._fence = fence
        self._tree = tree
        self._targets = targets
        self._clock = clock
        self._lease_s = lease_s
        self._days: set[date] = set()

    async def plan(self, decoded: Decoded, room: Room) -> Plan:
        """Store the events, match them, insert their deliveries and advance the offsets, all or nothing.

        Raises:
            FenceLostError: Another replica has planned these records.
            StoreUnavailableError: The database is away; the batch may be planned again.
        """
        today = self._clock.now().date()
        days = {day_of(event.occurred_at, today) for event in decoded.events.values()}
        days |= {day_of(test.requested_at, today) for test in decoded.tests}
        await self._make_days(days | {today})
        claim, leased_until = uuid4(), self._clock.monotonic() + self._lease_s
        async with self._database.write() as connection:
            # First, because it is what stops us: a replica that lost the partition does no work for nothing.
            await self._fence.advance(connection, decoded.spans)
            if decoded.workspaces:
                await self._tree.grow(connection, decoded.workspaces)
            if decoded.statuses:
                await self._tree.keep_statuses(connection, decoded.statuses)
            matches, homeless = await self._store_and_match(connection, decoded.events, today)
            plan = plan_deliveries(
                matches, decoded.events, room=room, claim=claim, leased_until=leased_until, today=today
            )
            await self._insert(connection, plan.claimed, plan.unclaimed, claim=claim, kind="event")
            if decoded.tests:
                tests = await self._plan_tests(connection, decoded, claim=claim, leased_until=leased_until, today=today)
                plan.claimed.extend(tests)
            plan.homeless = homeless
        return plan

    async def _make_days(self, days: set[date]) -> None:
        """Make missing partitions: planning must not depend on a scheduler that is down for weeks."""
        missing = days - self._days
        if not missing:
            return
        async with self._database.write() as connection:
            for day in sorted(missing):
                await make_partitions(connection, day, day)
        self._days |= missing

    async def _store_and_match(
        self, connection: WriteConnection, events: dict[UUID, Event], today: date
    ) -> tuple[list[Match], int]:
        if not events:
            return [], 0
        some = list(events.values())
        rows = await connection.rows(
            _STORE_AND_MATCH,
            {
                "days": [day_of(event.occurred_at, today) for event in some],
                "ids": [event.id for event in some],
                "sources": [event.source for event in some],
                "source_ids": [event.source_id for event in some],
                "workspace_ids": [event.workspace_id for event in some],
                "types": [event.trigger.value for event in some],
                "times": [event.occurred_at for event in some],
                "traceparents": [event.traceparent for event in some],
                "data": [event.data.decode() for event in some],
            },
        )
        homeless = [row.event_ids for row in rows if row.id is None]
        matches = [
            Match(target=self._targets.of(cast("WebhookRow", row)), event_ids=row.event_ids)
            for row in rows
            if row.id is not None
        ]
        return matches, len(homeless[0]) if homeless else 0

    async def _plan_tests(
        self, connection: WriteConnection, decoded: Decoded, *, claim: UUID, leased_until: float, today: date
    ) -> list[Delivery]:
        stored = await connection.rows(
            _STORE_TESTS,
            {
                "days": [day_of(test.requested_at, today) for test in decoded.tests],
                "ids": [test.test_id for test in decoded.tests],
                "workspace_ids": [test.workspace_id for test in decoded.tests],
                "times": [test.requested_at for test in decoded.tests],
                "data": TEST_DATA.decode(),
            },
        )
        targets: Sequence[Row[Any]] = await connection.rows(
            _LOAD_TARGETS, {"ids": [test.webhook_id for test in decoded.tests]}
        )
        planned = plan_tests(
            decoded.tests,
            new={row.id for row in stored},
            targets={row.id: self._targets.of(cast("WebhookRow", row)) for row in targets},
            claim=claim,
            leased_until=leased_until,
            today=today,
        )
        await self._insert(connection, planned, [], claim=claim, kind="test")
        return planned

    async def _insert(
        self,
        connection: WriteConnection,
        claimed: list[Delivery],
        unclaimed: list[Delivery],
        *,
        claim: UUID,
        kind: str,
    ) -> None:
        both = claimed + unclaimed
        if not both:
            return
        await connection.execute(
            _INSERT_DELIVERIES,
            {
                "days": [delivery.day for delivery in both],
                "webhook_ids": [delivery.target.webhook_id for delivery in both],
                "event_ids": [delivery.happening.event_id for delivery in both],
                "hook_ids": [delivery.hook_id for delivery in both],
                "workspace_ids": [delivery.happening.workspace_id for delivery in both],
                "claimed": [True] * len(claimed) + [False] * len(unclaimed),
                "claim": claim,
                "lease_s": self._lease_s,
                "kind": kind,
            },
        )
