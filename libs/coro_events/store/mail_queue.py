"""Mails on their way out: recipients are claimed, and what became of each is put on record under its claim."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Update, delete, func, select, text, update

from coro_events.store.mailing import MailKind, Words
from coro_events.store.tables import mail_recipients, mails
from coro_events.store.unit import ReadConnection, WriteConnection

_r = mail_recipients.c

_CLAIM = text(
    """
    with due as (
        select r.mail_id, r.email from mail_recipients r where r.state = 'pending' and r.due_at <= :now
        order by r.due_at, r.mail_id, r.email limit :limit for update skip locked
    ), claimed as (
        update mail_recipients r set claim = :claim, due_at = :until
        from due where r.mail_id = due.mail_id and r.email = due.email
        returning r.mail_id, r.email, r.attempts
    )
    select c.mail_id, c.email, c.attempts, m.kind, m.subject, m.text, m.html, m.sealed_at
    from claimed c join mails m on m.id = c.mail_id order by m.sealed_at, c.mail_id, c.email
    """
)

_OLD = (
    mails.c.sealed_at.is_not(None)
    & ~select(_r.mail_id).where(_r.mail_id == mails.c.id, _r.state == "pending").correlate(mails).exists()
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """One mail to one recipient, which is ours to send until the lease ends.

    Attributes:
        attempts: How often it was tried before.
        sealed_at: When the words were written.
    """

    mail_id: uuid.UUID
    email: str
    claim: uuid.UUID
    attempts: int
    kind: MailKind
    words: Words
    sealed_at: datetime


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One mail to one recipient that is due to be sent."""

    email: str
    kind: MailKind
    subject: str
    workspace_id: str


async def claim(connection: WriteConnection, *, now: datetime, until: datetime, limit: int) -> list[Claimed]:
    """Take recipients that are due, the longest due first; others leave them alone until the lease ends."""
    name = uuid.uuid4()
    rows = await connection.rows(_CLAIM, {"now": now, "until": until, "limit": limit, "claim": name})
    return [
        Claimed(
            mail_id=row.mail_id,
            email=row.email,
            claim=name,
            attempts=row.attempts,
            kind=MailKind(row.kind),
            words=Words(row.subject, row.text, row.html),
            sealed_at=row.sealed_at,
        )
        for row in rows
    ]


async def sent(connection: WriteConnection, claimed: Claimed, at: datetime) -> None:
    """Put on record that the mail server took it, if the claim still holds."""
    values = {"state": "sent", "sent_at": at, "claim": None, "attempts": _r.attempts + 1, "error": None}
    await connection.execute(_held(claimed).values(values))


async def postpone(
    connection: WriteConnection, claimed: Claimed, due_at: datetime, *, error: str, is_counted: bool
) -> None:
    """Try it again later, if the claim still holds.

    Args:
        connection: Of the caller.
        claimed: Which one.
        due_at: When.
        error: What went wrong.
        is_counted: Whether it was an attempt, rather than a mail server that is away.
    """
    values = {"due_at": due_at, "claim": None, "attempts": _r.attempts + int(is_counted), "error": error}
    await connection.execute(_held(claimed).values(values))


async def give_up(connection: WriteConnection, claimed: Claimed, *, error: str) -> None:
    """Put on record that it is never going to arrive, if the claim still holds."""
    values = {"state": "failed", "claim": None, "attempts": _r.attempts + 1, "error": error}
    await connection.execute(_held(claimed).values(values))


async def release(connection: WriteConnection, name: uuid.UUID, due_at: datetime) -> None:
    """Give back what is still held under a claim."""
    held = update(mail_recipients).where(_r.claim == name, _r.state == "pending")
    await connection.execute(held.values(claim=None, due_at=due_at))


async def outgoing(connection: ReadConnection, now: datetime) -> list[Outgoing]:
    """Return all that is due to be sent, the longest due first."""
    due = (
        select(_r.email, mails.c.kind, mails.c.subject, mails.c.workspace_id)
        .join_from(mail_recipients, mails)
        .where(_r.state == "pending", _r.due_at <= now)
        .order_by(_r.due_at, _r.mail_id, _r.email)
    )
    rows = await connection.rows(due)
    return [Outgoing(row.email, MailKind(row.kind), row.subject, row.workspace_id) for row in rows]


async def waiting(connection: ReadConnection, now: datetime) -> tuple[int, float]:
    """Return how many recipients wait, and since how many seconds the longest does."""
    standing = select(func.count().label("number"), func.min(mails.c.sealed_at).label("since"))
    (row,) = await connection.rows(standing.join_from(mail_recipients, mails).where(_r.state == "pending"))
    return row.number, 0.0 if row.since is None else max(0.0, (now - row.since).total_seconds())


async def forget(connection: WriteConnection, *, before: datetime, limit: int) -> int:
    """Remove mails of an earlier time with nobody left to get them; return how many."""
    old = select(mails.c.id).where(mails.c.created_at < before, _OLD).limit(limit)
    return (await connection.execute(delete(mails).where(mails.c.id.in_(old)))).rowcount


async def count_old(connection: ReadConnection, before: datetime) -> int:
    """Return how many mails `forget` would remove in the end."""
    old = select(func.count()).select_from(mails).where(mails.c.created_at < before, _OLD)
    total: int = await connection.scalar(old)
    return total


def _held(claimed: Claimed) -> Update:
    mine = (_r.mail_id == claimed.mail_id, _r.email == claimed.email, _r.claim == claimed.claim)
    return update(mail_recipients).where(*mine, _r.state == "pending")
