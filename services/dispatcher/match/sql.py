"""The planning transaction: events stored, matched, their deliveries inserted, the offsets advanced.

Configurations are read anew for every batch: a webhook created or edited a millisecond ago counts, and there is no
cache to invalidate.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import TextClause, text
from sqlalchemy.engine import Row

from coro_events.contract.bodies import PLACED_VERSIONS, TEST_DATA
from coro_events.contract.envelope import Event
from coro_events.contract.place import Place, place_of
from coro_events.errors import StoreUnavailableError
from coro_events.rules.deliveries import DeliveryKind
from coro_events.runtime.clock import Clock
from coro_events.store.partitions import make_partitions
from coro_events.store.unit import Database, WriteConnection
from services.dispatcher.intake.batch import Decoded
from services.dispatcher.intake.ports import Fence, Tree
from services.dispatcher.match.delivery import Delivery
from services.dispatcher.match.plan import Match, Plan, Room, day_of, plan_deliveries, plan_tests
from services.dispatcher.match.targets import Targets, WebhookRow

# One round trip: store what is new, and match nothing but that. A repeated event is planned by its first copy alone.
# Each new event takes the next number of its workspace. Numbers are taken in the order of workspace ids, so that two
# replicas never wait for each other in a circle, and they are given back with the transaction.
# The last row, without a webhook, tells how many events are of workspaces that nobody has announced, and how many were
# there already: numbers taken for those would be missing. The counts travel as one object, because the planner takes
# arrays for short, and would compare every event with every count to join them.
_STORE_AND_MATCH = """
    with incoming as materialized (
        select t.* from unnest(
            cast(:days as date[]), cast(:ids as uuid[]), cast(:sources as text[]), cast(:source_ids as text[]),
            cast(:workspace_ids as text[]), cast(:types as text[]), cast(:times as timestamptz[]),
            cast(:traceparents as text[]), cast(:data as text[])
        ) with ordinality as t (day, id, source, source_id, workspace_id, type, occurred_at, traceparent, data, i)
        {only_new}
    ), homes as materialized (
        select k.id, k.display_name, k.type, k.path
        from (select distinct workspace_id from incoming) i join workspaces k on k.id = i.workspace_id
    ), counted as (
        insert into sequences as s (workspace_id, last)
        select workspace_id, count(*) from incoming group by workspace_id order by workspace_id
        on conflict (workspace_id) do update set last = s.last + excluded.last
        returning workspace_id, last
    ), numbered as materialized (
        select n.*, row_number() over (partition by n.workspace_id order by n.i desc) - 1 as until_last from incoming n
    ), stored as (
        insert into events (day, id, source, source_id, workspace_id, type, occurred_at, traceparent, data,
                            sequence, workspace_name, workspace_type, workspace_path)
        select n.day, n.id, n.source, n.source_id, n.workspace_id, n.type, n.occurred_at, n.traceparent,
               cast(n.data as json), cast(counts.last ->> n.workspace_id as bigint) - n.until_last,
               k.display_name, k.type, k.path
        from (select jsonb_object_agg(workspace_id, last) as last from counted) as counts
        cross join numbered n left join homes k on k.id = n.workspace_id
        on conflict do nothing returning id, workspace_id, type
    ), wanted as materialized (
        -- What happened where is looked for once, however often it did.
        select w.id as webhook_id, k.id as workspace_id, t.type
        from (select distinct workspace_id, type from stored) t
        join homes k on k.id = t.workspace_id
        join webhooks w on w.workspace_id = any (k.path) and (w.state = 'enabled' or w.shadow_url is not null)
            and (w.apply_to_all_descendants or w.workspace_id = k.id) and t.type = any (w.triggers)
        -- A draft is tried out beside an original that delivers.
        where w.state = 'enabled' or exists (select from webhooks o where o.id = w.draft_of and o.state = 'enabled')
    ), matched as (
        select x.webhook_id, array_agg(s.id) as event_ids
        from wanted x join stored s on s.workspace_id = x.workspace_id and s.type = x.type
        group by x.webhook_id
    )
    select w.id, w.workspace_id, w.version, coalesce(w.shadow_url, w.url) as url, w.secret_sealed, w.headers_sealed,
           case when w.previous_secret_until > now() then w.previous_secret_sealed end as previous_secret_sealed,
           v.expires_at, x.released_at as deprecated_at, w.shadow_url is not null as shadows,
           m.event_ids, 0 as homeless, 0 as repeated
    from matched m
    join webhooks w on w.id = m.webhook_id
    join webhook_versions v on v.version = w.version
    left join webhook_versions x on x.version = w.version + 1
    union all
    select null, null, null, null, null, null, null, null, null, null, null,
           count(*) filter (where k.id is null), (select count(*) from incoming) - count(*)
    from stored s left join homes k on k.id = s.workspace_id
"""

_STORE_ALL = text(_STORE_AND_MATCH.format(only_new=""))

# Looks first, which costs more than most batches are worth: a producer seldom repeats itself.
_STORE_NEW = text(
    _STORE_AND_MATCH.format(
        only_new="left join lateral (select true as known from events e where e.day = t.day and e.id = t.id limit 1) o"
        " on true where o.known is null"
    )
)

# Only where a webhook's version tells it. The rows are those just stored, and hold the place as of then.
_LOAD_PLACES = text(
    """
    select e.id, e.sequence, e.workspace_name, e.workspace_type, e.workspace_path
    from unnest(cast(:days as date[]), cast(:ids as uuid[])) as n (day, id)
    cross join lateral (select * from events where day = n.day and id = n.id limit 1) e
    """
)

_INSERT_DELIVERIES = text(
    """
    insert into deliveries (day, webhook_id, event_id, hook_id, workspace_id, kind, manual, due_at, leased_until, claim)
    select d.day, d.webhook_id, d.event_id, d.hook_id, d.workspace_id, d.kind, d.kind <> 'event',
           case when d.claimed then now() + make_interval(secs => :lease_s) else now() end,
           case when d.claimed then now() + make_interval(secs => :lease_s) end,
           case when d.claimed then cast(:claim as uuid) end
    from unnest(
        cast(:days as date[]), cast(:webhook_ids as uuid[]), cast(:event_ids as uuid[]), cast(:hook_ids as uuid[]),
        cast(:workspace_ids as text[]), cast(:kinds as text[]), cast(:claimed as boolean[])
    ) as d (day, webhook_id, event_id, hook_id, workspace_id, kind, claimed)
    on conflict do nothing
    """
)

_STORE_TESTS = text(
    """
    insert into events (day, id, source, source_id, workspace_id, type, occurred_at, data,
                        workspace_name, workspace_type, workspace_path)
    select t.day, t.id, 'coro/test', cast(t.id as text), t.workspace_id, 'test', t.occurred_at, cast(:data as json),
           k.display_name, k.type, k.path
    from unnest(cast(:days as date[]), cast(:ids as uuid[]), cast(:workspace_ids as text[]),
                cast(:times as timestamptz[])) as t (day, id, workspace_id, occurred_at)
    left join workspaces k on k.id = t.workspace_id
    on conflict do nothing returning id, sequence, workspace_name, workspace_type, workspace_path
    """
)

# Whatever its state but expired: a disabled webhook is tested before it is enabled again.
_LOAD_TARGETS = text(
    """
    select w.id, w.workspace_id, w.version, w.url, w.secret_sealed, w.headers_sealed,
           case when w.previous_secret_until > now() then w.previous_secret_sealed end as previous_secret_sealed,
           v.expires_at, x.released_at as deprecated_at
    from webhooks w join webhook_versions v on v.version = w.version
    left join webhook_versions x on x.version = w.version + 1
    where w.id = any (cast(:ids as uuid[])) and w.state <> 'expired'
    """
)


# How often a batch is looked through while others store some of its events at the same moment; each time one of them is
# done.
_TRIES = 5


class _RepeatedError(StoreUnavailableError):
    """Some of the events are there already."""


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
        with suppress(_RepeatedError):
            return await self._plan(decoded, room, _STORE_ALL)
        for _ in range(_TRIES - 1):
            with suppress(_RepeatedError):
                return await self._plan(decoded, room, _STORE_NEW)
        return await self._plan(decoded, room, _STORE_NEW)

    async def _plan(self, decoded: Decoded, room: Room, store: TextClause) -> Plan:
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
            matches, homeless = await self._store_and_match(connection, store, decoded.events, today)
            plan = plan_deliveries(
                matches,
                decoded.events,
                room=room,
                claim=claim,
                leased_until=leased_until,
                today=today,
                places=await self._load_places(connection, matches, decoded.events, today),
            )
            await self._insert(connection, plan.claimed, plan.unclaimed, claim=claim)
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
        self, connection: WriteConnection, store: TextClause, events: dict[UUID, Event], today: date
    ) -> tuple[list[Match], int]:
        if not events:
            return [], 0
        some = list(events.values())
        rows = await connection.rows(
            store,
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
        (last,) = (row for row in rows if row.id is None)
        if last.repeated:
            raise _RepeatedError(f"{last.repeated} of the events were stored before")
        place_in_batch = {event.id: place for place, event in enumerate(some)}
        matches = [
            Match(
                target=self._targets.of(cast("WebhookRow", row)),
                event_ids=sorted(row.event_ids, key=place_in_batch.__getitem__),
                kind=DeliveryKind.SHADOW if row.shadows else DeliveryKind.EVENT,
            )
            for row in rows
            if row.id is not None
        ]
        return matches, last.homeless

    async def _load_places(
        self, connection: WriteConnection, matches: Iterable[Match], events: dict[UUID, Event], today: date
    ) -> dict[UUID, Place | None]:
        """Return where those events happened whose bodies tell it."""
        ids = {key for match in matches if match.target.version in PLACED_VERSIONS for key in match.event_ids}
        if not ids:
            return {}
        days = [day_of(events[key].occurred_at, today) for key in ids]
        return _places(await connection.rows(_LOAD_PLACES, {"days": days, "ids": list(ids)}))

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
        places = _places(stored)
        planned = plan_tests(
            decoded.tests,
            new=places,
            places=places,
            targets={row.id: self._targets.of(cast("WebhookRow", row)) for row in targets},
            claim=claim,
            leased_until=leased_until,
            today=today,
        )
        await self._insert(connection, planned, [], claim=claim)
        return planned

    async def _insert(
        self,
        connection: WriteConnection,
        claimed: list[Delivery],
        unclaimed: list[Delivery],
        *,
        claim: UUID,
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
                "kinds": [delivery.kind.value for delivery in both],
            },
        )


def _places(rows: Iterable[Row[Any]]) -> dict[UUID, Place | None]:
    return {row.id: place_of(row.workspace_name, row.workspace_type, row.workspace_path, row.sequence) for row in rows}
