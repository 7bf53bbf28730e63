"""Mails on their way to be written: webhooks are collected in open mails, and words seal them.

The order: `collect` as often as needed, `lock_open`, `listings` and `audiences` for the words, and `seal`.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import text

from coro_events.store.unit import ReadConnection, WriteConnection

# A mail with more webhooks than that only counts the others.
MAX_LISTED = 1_000

_ADMINS = "u.role in ('administrator', 'super_admin') and u.notifications_level <> 'none'"

# The admins of the webhook's own workspace hear of it, and those of the workspaces above, as its level says.
_COLLECT = text(
    f"""
    with affected as (
        select w.id, k.id as workspace_id, k.path, k.notifications_level as level
        from webhooks w join workspaces k on k.id = w.workspace_id where w.id = any (cast(:ids as uuid[]))
    ), heard as materialized (
        select a.id as webhook_id, p.id as workspace_id from affected a cross join lateral unnest(a.path) as p(id)
        where case when p.id = a.workspace_id then a.level in ('all', 'localAdmins') else a.level in ('all', 'parent')
              end
    ), told as materialized (
        select k.id from workspaces k where k.id in (select workspace_id from heard) and k.archived_at is null
            and exists (select from users u where u.workspace_id = k.id and {_ADMINS})
    ), opened as (
        insert into mails (id, workspace_id, kind, version, dedup_key, created_at)
        select gen_random_uuid(), id, cast(:kind as text), cast(:version as smallint), :dedup_key || id, :at
        from told order by id
        on conflict (dedup_key) do update set dedup_key = excluded.dedup_key
        returning id, workspace_id
    )
    insert into mail_webhooks (mail_id, webhook_id)
    select o.id, h.webhook_id from heard h join opened o on o.workspace_id = h.workspace_id
    on conflict do nothing
    """  # noqa: S608 - made of constants of this file
)

_LOCK_OPEN = text(
    "select m.id, m.workspace_id, m.kind, m.version, k.display_name from mails m"
    " join workspaces k on k.id = m.workspace_id"
    " where m.sealed_at is null and m.kind = :kind order by m.id limit :limit for update of m skip locked"
)

_LISTED = text(
    """
    select l.mail_id, l.of, w.id, w.name, w.version, w.url, w.disabled_reason, w.workspace_id,
           k.display_name as workspace, v.expires_at, d.version as draft_version
    from (
        select l.mail_id, l.webhook_id, count(*) over one as of,
            row_number() over (partition by l.mail_id order by k.display_name, k.id, w.name, w.id) as place
        from mail_webhooks l join webhooks w on w.id = l.webhook_id join workspaces k on k.id = w.workspace_id
        where l.mail_id = any (cast(:ids as uuid[])) window one as (partition by l.mail_id)
    ) l
    join webhooks w on w.id = l.webhook_id join workspaces k on k.id = w.workspace_id
    join webhook_versions v on v.version = w.version
    left join lateral (select d.version from webhooks d where d.draft_of = w.id limit 1) d on true
    where l.place <= :most order by l.mail_id, l.place
    """
)

_AUDIENCE = text(
    f"select u.workspace_id, u.email from users u where u.workspace_id = any (cast(:ids as text[])) and {_ADMINS}"  # noqa: S608 - a constant of this file
    " order by u.email"
)

_SEAL = text(
    "update mails m set subject = g.subject, text = g.text, html = g.html, sealed_at = :at, dedup_key = null"
    " from unnest(cast(:ids as uuid[]), cast(:subjects as text[]), cast(:texts as text[]), cast(:htmls as text[]))"
    " as g (id, subject, text, html) where m.id = g.id and m.sealed_at is null"
)

_ADDRESS = text(
    "insert into mail_recipients (mail_id, email, due_at)"
    " select mail_id, email, :at from unnest(cast(:ids as uuid[]), cast(:emails as text[])) as g (mail_id, email)"
    " on conflict do nothing"
)

_DISCARD = text("delete from mails where id = any (cast(:ids as uuid[])) and sealed_at is null")


class MailKind(StrEnum):
    """What a mail tells."""

    # The next version is released; these webhooks have so long to live.
    FIRST = "first"
    # They have a month left.
    REMINDER = "reminder"
    # They have expired.
    EXPIRED = "expired"
    # They were disabled, because deliveries failed for good.
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class OpenMail:
    """A mail that still wants its words.

    Attributes:
        workspace: The display name of the workspace whose admins get it.
    """

    id: uuid.UUID
    workspace_id: str
    workspace: str
    kind: MailKind
    version: int | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A webhook that a mail lists.

    Attributes:
        workspace: The display name of its workspace.
        expires_at: When its version expires.
        draft_version: The version of its draft, if there is one.
    """

    id: uuid.UUID
    name: str
    version: int
    url: str
    disabled_reason: str | None
    workspace_id: str
    workspace: str
    expires_at: datetime | None
    draft_version: int | None


@dataclass(frozen=True, slots=True)
class Listing:
    """The first webhooks of a mail, sorted by workspace and name, and how many it has in all."""

    webhooks: Sequence[Listed]
    total: int


@dataclass(frozen=True, slots=True)
class Words:
    """A mail's subject and both of its parts."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """A mail with its words, and who gets it."""

    id: uuid.UUID
    words: Words
    emails: Sequence[str]


async def collect(
    connection: WriteConnection, kind: MailKind, version: int | None, webhook_ids: Sequence[uuid.UUID], at: datetime
) -> None:
    """Add webhooks to the open mails of everybody who is to hear of them; open what is not open yet."""
    if webhook_ids:
        dedup_key = f"{kind.value}/{version or ''}/"
        params = {"ids": list(webhook_ids), "kind": kind.value, "version": version, "dedup_key": dedup_key, "at": at}
        await connection.execute(_COLLECT, params)


async def lock_open(connection: WriteConnection, kind: MailKind, *, limit: int) -> list[OpenMail]:
    """Return open mails, and keep others from adding to them."""
    rows = await connection.rows(_LOCK_OPEN, {"kind": kind.value, "limit": limit})
    return [OpenMail(row.id, row.workspace_id, row.display_name, MailKind(row.kind), row.version) for row in rows]


async def listings(connection: ReadConnection, ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, Listing]:
    """Return what each mail lists; a mail whose webhooks are all removed has no entry."""
    found: dict[uuid.UUID, tuple[list[Listed], int]] = {}
    for row in await connection.rows(_LISTED, {"ids": list(ids), "most": MAX_LISTED}):
        webhooks, _ = found.setdefault(row.mail_id, ([], row.of))
        webhooks.append(
            Listed(
                id=row.id,
                name=row.name,
                version=row.version,
                url=row.url,
                disabled_reason=row.disabled_reason,
                workspace_id=row.workspace_id,
                workspace=row.workspace,
                expires_at=row.expires_at,
                draft_version=row.draft_version,
            )
        )
    return {mail_id: Listing(webhooks, total) for mail_id, (webhooks, total) in found.items()}


async def audiences(connection: ReadConnection, workspace_ids: Sequence[str]) -> Mapping[str, list[str]]:
    """Return the addresses of the admins who want mail, by workspace."""
    found: dict[str, list[str]] = {}
    for row in await connection.rows(_AUDIENCE, {"ids": list(workspace_ids)}):
        found.setdefault(row.workspace_id, []).append(row.email)
    return found


async def seal(connection: WriteConnection, sealed: Sequence[Sealed], at: datetime) -> None:
    """Write words and recipients of locked mails; they may be sent from now on."""
    params = {
        "ids": [mail.id for mail in sealed],
        "subjects": [mail.words.subject for mail in sealed],
        "texts": [mail.words.text for mail in sealed],
        "htmls": [mail.words.html for mail in sealed],
        "at": at,
    }
    await connection.execute(_SEAL, params)
    addressed = [(mail.id, email) for mail in sealed for email in mail.emails]
    ids, emails = [mail_id for mail_id, _ in addressed], [email for _, email in addressed]
    await connection.execute(_ADDRESS, {"ids": ids, "emails": emails, "at": at})


async def discard(connection: WriteConnection, ids: Sequence[uuid.UUID]) -> None:
    """Remove locked mails that have nothing to tell, or nobody to tell it to."""
    await connection.execute(_DISCARD, {"ids": list(ids)})
