"""Histories in PostgreSQL.

A page is read along an index of (webhook, time, event), so its price does not grow with the history. Filters that no
index serves are asked of the next few thousand deliveries at the most; the page then ends early and goes on from there.
"""

import uuid
from datetime import MAXYEAR, datetime, timedelta
from typing import Any

from sqlalchemy import Row, TextClause, text

from coro_events.contract.place import place_of
from coro_events.rules.deliveries import DeliveryKind, DeliveryState
from coro_events.store.unit import Database
from services.api.history.ports import (
    Attempt,
    Detail,
    Entry,
    Figures,
    Filters,
    Key,
    LastAttempt,
    ResponseClass,
    Sent,
    Slice,
    Statistics,
)

# How many deliveries one request looks at where no index serves its filters.
LOOKED_AT = 2_000
# How many deliveries the figures are made of at the most.
COUNTED = 10_000

# States that few deliveries end in; an index holds them alone.
_UNSUCCESSFUL = frozenset({DeliveryState.FAILED, DeliveryState.HELD, DeliveryState.DISCARDED})
# A day is that of the event, which comes at the latest a day after its delivery; one more for clocks that differ.
_DAYS_AHEAD = timedelta(days=2)

_COLUMNS = (
    "d.day, d.webhook_id, d.event_id, d.hook_id, d.workspace_id, d.kind, d.state, d.attempts, d.due_at, d.created_at,"
    " d.finished_at"
)
_OF_WEBHOOK = "from deliveries d where d.webhook_id = :webhook_id"
_NEWEST_FIRST = "order by d.created_at desc, d.event_id desc, d.webhook_id desc"

# Subqueries with a limit stay what they are: one look at a primary key for each row, whatever the planner guesses.
_TOLD = """
    left join lateral (
        select e.type from events e where e.day = d.day and e.id = d.event_id limit 1
    ) e on true
    left join lateral (
        select a.started_at, a.duration_ms, a.outcome, a.status from attempts a
        where a.day = d.day and a.hook_id = d.hook_id order by a.number desc limit 1
    ) a on true
"""

_SHOWN = (
    "d.webhook_id, d.event_id, d.hook_id, d.workspace_id, d.kind, d.state, d.attempts, d.due_at, d.created_at,"
    " d.finished_at, e.type, a.started_at, a.duration_ms, a.outcome, a.status"
)

_HAS = text("select id from webhooks where id = :id and workspace_id = :workspace_id")

_ONE = text(f"""
    select {_SHOWN}, d.day, w.version, w.headers_sealed, o.occurred_at, cast(o.data as text) as data, o.traceparent,
           case when d.kind = 'shadow' then coalesce(w.shadow_url, w.url) else w.url end as url,
           o.sequence, o.workspace_name, o.workspace_type, o.workspace_path,
           v.expires_at, x.released_at as deprecated_at
    from deliveries d join webhooks w on w.id = d.webhook_id join events o on o.day = d.day and o.id = d.event_id
    join webhook_versions v on v.version = w.version left join webhook_versions x on x.version = w.version + 1
    {_TOLD}
    where d.hook_id = :hook_id and d.webhook_id = :webhook_id
""")  # noqa: S608 - made of constants of this file

_ATTEMPTS = text("""
    select number, started_at, duration_ms, outcome, status, error, response_head, response_body from attempts
    where day = :day and hook_id = :hook_id order by number
""")

_STATISTICS = text(f"""
    with recent as materialized (
        select day, hook_id, state, created_at, date_trunc('hour', created_at, 'UTC') as hour from deliveries
        where webhook_id = :webhook_id and created_at >= :since and created_at < :until and day <= :last_day
            and kind = 'event'
        order by created_at desc limit {COUNTED}
    ), made as (
        select hour, grouping(hour) as is_total, count(*) as deliveries,
               count(*) filter (where state = 'delivered') as delivered,
               count(*) filter (where state = 'failed') as failed, min(created_at) as first_at
        from recent group by grouping sets ((hour), ())
    ), tried as (
        select r.hour, grouping(r.hour) as is_total, count(*) as attempts,
               percentile_disc(array[0.5, 0.95]) within group (order by a.duration_ms) as spread
        from recent r join attempts a on a.day = r.day and a.hook_id = r.hook_id
        group by grouping sets ((r.hour), ())
    )
    select m.hour, m.is_total, m.deliveries, m.delivered, m.failed, m.first_at,
           coalesce(t.attempts, 0) as attempts, t.spread[1] as p50_ms, t.spread[2] as p95_ms
    from made m left join tried t on t.is_total = m.is_total and t.hour is not distinct from m.hour
    order by m.hour
""")  # noqa: S608 - made of constants of this file


class SqlHistory:
    """The deliveries on record, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def has_webhook(self, workspace_id: str, webhook_id: uuid.UUID) -> bool:
        """Return whether a webhook is one of a workspace."""
        async with self._database.read() as connection:
            return await connection.row(_HAS, {"id": webhook_id, "workspace_id": workspace_id}) is not None

    async def of_webhook(self, webhook_id: uuid.UUID, filters: Filters, *, after: Key | None, size: int) -> Slice:
        """Return a page of a webhook's deliveries, newest first."""
        window = _window(filters, size)
        inner, params = _indexed(filters, after)
        recent = f"select {_COLUMNS} {_OF_WEBHOOK} {inner} {_NEWEST_FIRST} limit {window}"
        return await self._page(recent, filters, {**params, "webhook_id": webhook_id}, window=window, size=size)

    async def of_workspace(self, workspace_id: str, filters: Filters, *, after: Key | None, size: int) -> Slice:
        """Return a page of the deliveries of all webhooks of a workspace, newest first.

        Each webhook gives its own newest; a workspace has few webhooks.
        """
        window = _window(filters, size)
        inner, params = _indexed(filters, after)
        recent = f"""
            select d.* from webhooks w cross join lateral (
                select {_COLUMNS} from deliveries d where d.webhook_id = w.id {inner} {_NEWEST_FIRST} limit {window}
            ) d
            where w.workspace_id = :owner {_NEWEST_FIRST} limit {window}
        """  # noqa: S608 - constants and numbers
        return await self._page(recent, filters, {**params, "owner": workspace_id}, window=window, size=size)

    async def one(self, webhook_id: uuid.UUID, hook_id: uuid.UUID) -> Detail | None:
        """Return a delivery of a webhook."""
        async with self._database.read() as connection:
            row = await connection.row(_ONE, {"webhook_id": webhook_id, "hook_id": hook_id})
            if row is None:
                return None
            attempts = await connection.rows(_ATTEMPTS, {"day": row.day, "hook_id": hook_id})
        sent = Sent(
            version=row.version,
            url=row.url,
            headers_sealed=row.headers_sealed,
            occurred_at=row.occurred_at,
            data=row.data.encode(),
            traceparent=row.traceparent,
            place=place_of(row.workspace_name, row.workspace_type, row.workspace_path, row.sequence),
            deprecated_at=row.deprecated_at,
            expires_at=row.expires_at,
        )
        return Detail(_entry(row), [_attempt(one) for one in attempts], sent)

    async def statistics(self, webhook_id: uuid.UUID, *, since: datetime, until: datetime) -> Statistics:
        """Return how a webhook's deliveries of events went; the latest alone where there are too many."""
        params = {
            "webhook_id": webhook_id,
            "since": since,
            "until": until,
            "last_day": until.date() + _DAYS_AHEAD,
        }
        async with self._database.read() as connection:
            rows = await connection.rows(_STATISTICS, params)
        (total,) = (row for row in rows if row.is_total)
        return Statistics(
            since=total.first_at if total.deliveries == COUNTED else since,
            total=_figures(total),
            hours=[_figures(row) for row in rows if not row.is_total],
        )

    async def _page(self, recent: str, filters: Filters, params: dict[str, Any], *, window: int, size: int) -> Slice:
        narrow, more = _unindexed(filters)
        async with self._database.read() as connection:
            rows = await connection.rows(_page(recent, narrow, size + 1), {**params, **more})
        entries = [_entry(row) for row in rows if row.hook_id is not None]
        if len(entries) > size:
            return Slice(entries[:size], entries[size - 1].key)
        if rows and rows[0].looked_at == window:
            return Slice(entries, Key(rows[0].last_at, rows[0].last_event_id, rows[0].last_webhook_id))
        return Slice(entries, None)


def _page(recent: str, narrow: str, limit: int) -> TextClause:
    """Return the statement of a page: the deliveries that were looked at, those wanted of them, and the last one."""
    return text(f"""
        with recent as materialized ({recent}), bounds as (
            select count(*) over () as looked_at, created_at as last_at, event_id as last_event_id,
                   webhook_id as last_webhook_id
            from recent order by created_at, event_id, webhook_id limit 1
        )
        select b.looked_at, b.last_at, b.last_event_id, b.last_webhook_id, d.*
        from bounds b left join (
            select {_SHOWN} from recent d {_TOLD} where true {narrow} {_NEWEST_FIRST} limit {limit}
        ) d on true
        {_NEWEST_FIRST}
    """)  # noqa: S608 - made of constants of this file and numbers


def _window(filters: Filters, size: int) -> int:
    narrow, _ = _unindexed(filters)
    return LOOKED_AT if narrow else size + 1


def _indexed(filters: Filters, after: Key | None) -> tuple[str, dict[str, Any]]:
    """Return the conditions that an index serves, and their parameters."""
    conditions, params = [""], dict[str, Any]()
    bounds = [bound for bound in (filters.until, after and after.created_at) if bound is not None]
    if filters.since is not None:
        conditions.append("d.created_at >= :since")
        params["since"] = filters.since
    if filters.until is not None:
        conditions.append("d.created_at < :until")
        params["until"] = filters.until
    if after is not None:
        conditions.append("(d.created_at, d.event_id, d.webhook_id) < (:at, cast(:event as uuid), cast(:hook as uuid))")
        params |= {"at": after.created_at, "event": after.event_id, "hook": after.webhook_id}
    if bounds and min(bounds).year < MAXYEAR:
        conditions.append("d.day <= :last_day")
        params["last_day"] = min(bounds).date() + _DAYS_AHEAD
    if filters.states and filters.states <= _UNSUCCESSFUL:
        # Written out, so that the index of these states is known to hold all of them.
        conditions.append(f"d.state in ({_quoted(filters.states)})")
    if filters.kind is not None:
        conditions.append(f"d.kind = '{filters.kind.value}'")
    return " and ".join(conditions), params


def _unindexed(filters: Filters) -> tuple[str, dict[str, Any]]:
    """Return the conditions that no index serves, and their parameters."""
    conditions, params = [""], dict[str, Any]()
    if filters.states and not filters.states <= _UNSUCCESSFUL:
        conditions.append(f"d.state in ({_quoted(filters.states)})")
    if filters.workspace_id is not None:
        conditions.append("d.workspace_id = :workspace_id")
        params["workspace_id"] = filters.workspace_id
    if filters.types:
        conditions.append("e.type = any (cast(:types as text[]))")
        params["types"] = sorted(filters.types)
    if filters.response is ResponseClass.NONE:
        conditions.append("a.status is null")
    elif filters.response is not None:
        conditions.append("a.status / 100 = :response")
        params["response"] = int(filters.response.value[0])
    return " and ".join(conditions), params


def _quoted(states: frozenset[DeliveryState]) -> str:
    return ", ".join(f"'{state.value}'" for state in sorted(states))


def _entry(row: Row[Any]) -> Entry:
    state = DeliveryState(row.state)
    last = None
    if row.started_at is not None:
        last = LastAttempt(row.started_at, row.duration_ms, row.outcome, row.status)
    return Entry(
        key=Key(row.created_at, row.event_id, row.webhook_id),
        hook_id=row.hook_id,
        workspace_id=row.workspace_id,
        kind=DeliveryKind(row.kind),
        type=row.type,
        state=state,
        attempts=row.attempts,
        due_at=row.due_at if state is DeliveryState.PENDING else None,
        finished_at=row.finished_at,
        last=last,
    )


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(
        number=row.number,
        started_at=row.started_at,
        duration_ms=row.duration_ms,
        outcome=row.outcome,
        status=row.status,
        error=row.error,
        response_head=row.response_head,
        response_body=row.response_body,
    )


def _figures(row: Row[Any]) -> Figures:
    return Figures(row.hour, row.deliveries, row.delivered, row.failed, row.attempts, row.p50_ms, row.p95_ms)
