"""How the webhooks of a tree stand, in PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from coro_events.store.unit import Database
from services.api.attention.ports import Ailing, Expiring, Standing, Totals

# What waits the longest is a retry; so many of a webhook's waiting deliveries are looked at, however many there are.
LOOKED_AT = 20
# So many webhooks of a workspace are named.
NAMED = 5
# Retries of what was replayed of older events are left out, and with them all older partitions.
_DAYS_BACK = timedelta(days=2)
_DAYS_AHEAD = timedelta(days=2)

_STANDING = f"""
    with standing as materialized (
        select w.id, w.name, w.workspace_id, w.state, w.disabled_reason, coalesce(f.failing, false) as failing
        from workspaces k join webhooks w on w.workspace_id = k.id
        left join lateral (
            select bool_or(attempts > 0) as failing from (
                select d.attempts from deliveries d
                where d.webhook_id = w.id and d.state = 'pending' and d.day between :first_day and :last_day
                order by d.due_at desc limit {LOOKED_AT}
            ) waiting
        ) f on w.state = 'enabled'
        where k.path @> array[cast(:top as text)] and w.state <> 'draft' and w.replaced_by is null
    )
"""  # noqa: S608 - made of constants of this file

_TOTALS = text(f"""
    {_STANDING}
    select count(distinct workspace_id) as workspaces, count(*) as webhooks,
           count(*) filter (where failing) as failing, count(*) filter (where state = 'disabled') as disabled,
           count(*) filter (where state = 'expired') as expired
    from standing
""")  # noqa: S608 - made of constants of this file

_PAGE = text(f"""
    {_STANDING}, counted as (
        select workspace_id, count(*) as webhooks, count(*) filter (where failing) as failing,
               count(*) filter (where state = 'disabled') as disabled,
               count(*) filter (where state = 'expired') as expired
        from standing group by workspace_id
    ), wanted as (
        select c.*, k.display_name, k.path, count(*) over () as found
        from counted c join workspaces k on k.id = c.workspace_id
        where not cast(:ailing_only as boolean) or c.failing + c.disabled > 0
        order by c.failing > 0 desc, c.disabled > 0 desc, lower(k.display_name), c.workspace_id
        limit :limit offset :offset
    )
    select p.*, a.ailing, n.names from wanted p
    cross join lateral (
        select json_agg(json_build_array(s.id, s.name, s.failing, s.disabled_reason)) as ailing from (
            select s.id, s.name, s.failing, s.disabled_reason from standing s
            where s.workspace_id = p.workspace_id and (s.failing or s.state = 'disabled')
            order by s.failing desc, s.name limit {NAMED}
        ) s
    ) a
    cross join lateral (
        select array_agg(k.display_name order by u.place) as names
        from unnest(p.path) with ordinality as u(id, place) join workspaces k on k.id = u.id
        where u.place > array_position(p.path, cast(:top as text))
    ) n
    order by p.failing > 0 desc, p.disabled > 0 desc, lower(p.display_name), p.workspace_id
""")  # noqa: S608 - made of constants of this file

_EXPIRING = text("""
    select w.id, w.name, w.workspace_id, k.display_name, w.version, v.expires_at, d.id as draft_id,
           count(*) over () as total
    from webhook_versions v join webhooks w on w.version = v.version join workspaces k on k.id = w.workspace_id
    left join webhooks d on d.draft_of = w.id
    where v.expires_at < :before and w.state = 'enabled' and k.path @> array[cast(:top as text)]
    order by v.expires_at, k.id = cast(:top as text) desc, lower(k.display_name), w.name, w.id limit :limit
""")


class SqlStandings:
    """Webhooks on record, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def totals(self, top: str, now: datetime) -> Totals:
        """Return how all webhooks at and below a workspace stand."""
        async with self._database.read() as connection:
            (row,) = await connection.rows(_TOTALS, _scope(top, now))
        return Totals(row.workspaces, row.webhooks, row.failing, row.disabled, row.expired)

    async def page(
        self, top: str, now: datetime, *, ailing_only: bool, page: int, page_size: int
    ) -> tuple[Sequence[Standing], int]:
        """Return one page of the workspaces that have webhooks, those in need first, and how many there are."""
        params = {"ailing_only": ailing_only, "limit": page_size, "offset": page * page_size}
        async with self._database.read() as connection:
            rows = await connection.rows(_PAGE, {**_scope(top, now), **params})
        return [_standing(row) for row in rows], rows[0].found if rows else 0

    async def expiring(self, top: str, *, before: datetime, limit: int) -> tuple[Sequence[Expiring], int]:
        """Return enabled webhooks whose version expires before a time, next first, and how many there are."""
        async with self._database.read() as connection:
            rows = await connection.rows(_EXPIRING, {"top": top, "before": before, "limit": limit})
        return [_expiring(row) for row in rows], rows[0].total if rows else 0


def _scope(top: str, now: datetime) -> dict[str, Any]:
    today = now.astimezone(UTC).date()
    return {"top": top, "first_day": today - _DAYS_BACK, "last_day": today + _DAYS_AHEAD}


def _standing(row: Row[Any]) -> Standing:
    return Standing(
        workspace_id=row.workspace_id,
        display_name=row.display_name,
        path=tuple(row.names or ()),
        webhooks=row.webhooks,
        failing=row.failing,
        disabled=row.disabled,
        expired=row.expired,
        ailing=tuple(Ailing(*one) for one in row.ailing or ()),
    )


def _expiring(row: Row[Any]) -> Expiring:
    return Expiring(
        webhook_id=str(row.id),
        name=row.name,
        workspace_id=row.workspace_id,
        display_name=row.display_name,
        version=row.version,
        expires_at=row.expires_at,
        draft_id=None if row.draft_id is None else str(row.draft_id),
    )
