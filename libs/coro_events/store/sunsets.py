"""Steps of the sunset in the tables: which webhooks have one before them, and what each step writes.

Each function is one statement; whoever calls puts those that belong together into one transaction.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from coro_events.rules.sunset import Notice, Sunset
from coro_events.store.unit import ReadConnection, WriteConnection

_SUNSETS = text(
    "select v.version, n.released_at, v.expires_at from webhook_versions v"
    " join webhook_versions n on n.version = v.version + 1"
    " where v.expires_at is not null and n.released_at is not null order by v.version"
)

_NEWEST = text(
    "select max(version) from webhook_versions where released_at <= :now and (expires_at is null or expires_at > :now)"
)

# In the order of the primary key, so that the next batch begins where this one ended. Whoever is just being edited is
# left to the next round. A workspace in which nobody works hears nothing, yet its webhooks end like all others.
# What is looked up for each webhook is a lateral join, which uses an index, and never a subquery, which may read the
# whole table anew for each batch.
_CANDIDATES = """
    select w.id, w.workspace_id, w.version, w.name, w.state, w.secret_sealed, w.headers_sealed,
        w.replaced_by is not null as is_replaced, d.id is not null as has_draft, t.taken
    from webhooks w join workspaces k on k.id = w.workspace_id
    cross join lateral (
        select coalesce(array_agg(n.kind), '{}') as taken from notices n
        where n.webhook_id = w.id and n.version = w.version
    ) t
    left join lateral (select d.id from webhooks d where d.draft_of = w.id limit 1) d on true
    where w.version = :version and w.id > :after and w.state in ('enabled', 'disabled')
        and (:is_end or (w.replaced_by is null and k.archived_at is null))
        and not t.taken @> cast(:kinds as text[])
    order by w.id limit :limit
"""
_READ_CANDIDATES = text(_CANDIDATES)
_LOCK_CANDIDATES = text(f"{_CANDIDATES} for no key update of w skip locked")

_TAKE = text(
    "insert into notices (webhook_id, version, kind, at)"
    " select id, :version, :kind, :at from unnest(cast(:ids as uuid[])) as g(id)"
    " on conflict do nothing returning webhook_id"
)

_DRAFT = text(
    """
    insert into webhooks (id, workspace_id, version, name, description, url, apply_to_all_descendants, triggers,
                          secret_sealed, headers_sealed, state, draft_of, created_at, updated_at)
    select g.id, w.workspace_id, :version, w.name, w.description, w.url, w.apply_to_all_descendants, w.triggers,
           g.secret_sealed, g.headers_sealed, 'draft', w.id, :at, :at
    from unnest(cast(:ids as uuid[]), cast(:originals as uuid[]), cast(:secrets as bytea[]), cast(:headers as bytea[]))
        as g (id, original, secret_sealed, headers_sealed)
    join webhooks w on w.id = g.original
    on conflict do nothing returning id
    """
)

_EXPIRE = text(
    "update webhooks set state = 'expired', expired_at = :at, revision = revision + 1, updated_at = :at"
    " where id = any (cast(:ids as uuid[])) and state in ('enabled', 'disabled') returning id"
)


@dataclass(frozen=True, slots=True)
class VersionSunset:
    """A version that has an expiry, with its dates."""

    version: int
    sunset: Sunset


@dataclass(frozen=True, slots=True)
class Candidate:
    """A webhook that may have a step of the sunset before it.

    Attributes:
        taken: The steps that it has taken, of this version.
        has_draft: Whether there is a draft of it.
        is_replaced: Whether its draft was published.
    """

    id: uuid.UUID
    workspace_id: str
    version: int
    name: str
    state: str
    secret_sealed: bytes
    headers_sealed: bytes | None
    has_draft: bool
    is_replaced: bool
    taken: frozenset[Notice]


@dataclass(frozen=True, slots=True)
class NewDraft:
    """A draft to be written; all else it has from its original."""

    id: uuid.UUID
    original_id: uuid.UUID
    secret_sealed: bytes
    headers_sealed: bytes | None


async def version_sunsets(connection: ReadConnection) -> list[VersionSunset]:
    """Return the versions whose successor has a date of release, the oldest first."""
    rows = await connection.rows(_SUNSETS)
    return [VersionSunset(row.version, Sunset(row.released_at, row.expires_at)) for row in rows]


async def newest_version(connection: ReadConnection, now: datetime) -> int:
    """Return the newest version that is released at this time."""
    version: int = await connection.scalar(_NEWEST, {"now": now})
    return version


async def candidates(
    connection: ReadConnection, version: int, steps: Collection[Notice], *, after: uuid.UUID, limit: int
) -> list[Candidate]:
    """Return the next webhooks of a version that have not taken all of these steps, in order of their ids."""
    params = _wanted(version, steps, after=after, limit=limit)
    return [_candidate(row) for row in await connection.rows(_READ_CANDIDATES, params)]


async def lock_candidates(
    connection: WriteConnection, version: int, steps: Collection[Notice], *, after: uuid.UUID, limit: int
) -> list[Candidate]:
    """Return the same as `candidates`, keep others from changing them, and leave out whom somebody else changes."""
    params = _wanted(version, steps, after=after, limit=limit)
    return [_candidate(row) for row in await connection.rows(_LOCK_CANDIDATES, params)]


async def take(
    connection: WriteConnection, step: Notice, version: int, ids: Sequence[uuid.UUID], at: datetime
) -> set[uuid.UUID]:
    """Put a step on record; return the webhooks that had not taken it yet."""
    params = {"ids": list(ids), "version": version, "kind": step.value, "at": at}
    return {row.webhook_id for row in await connection.rows(_TAKE, params)}


async def insert_drafts(
    connection: WriteConnection, drafts: Sequence[NewDraft], version: int, at: datetime
) -> set[uuid.UUID]:
    """Write drafts of this version; return the ids of those whose originals had none."""
    params = {
        "ids": [draft.id for draft in drafts],
        "originals": [draft.original_id for draft in drafts],
        "secrets": [draft.secret_sealed for draft in drafts],
        "headers": [draft.headers_sealed for draft in drafts],
        "version": version,
        "at": at,
    }
    return {row.id for row in await connection.rows(_DRAFT, params)}


async def expire(connection: WriteConnection, ids: Sequence[uuid.UUID], at: datetime) -> set[uuid.UUID]:
    """End webhooks; return those that were enabled or disabled before."""
    return {row.id for row in await connection.rows(_EXPIRE, {"ids": list(ids), "at": at})}


def _wanted(version: int, steps: Collection[Notice], *, after: uuid.UUID, limit: int) -> Mapping[str, Any]:
    return {
        "version": version,
        "kinds": [step.value for step in steps],
        "is_end": Notice.EXPIRED in steps,
        "after": after,
        "limit": limit,
    }


def _candidate(row: Any) -> Candidate:
    return Candidate(
        id=row.id,
        workspace_id=row.workspace_id,
        version=row.version,
        name=row.name,
        state=row.state,
        secret_sealed=row.secret_sealed,
        headers_sealed=row.headers_sealed,
        has_draft=row.has_draft,
        is_replaced=row.is_replaced,
        taken=frozenset(Notice(kind) for kind in row.taken),
    )
