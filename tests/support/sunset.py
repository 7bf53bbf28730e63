"""What tests of the sunset are made of: released versions, admins, and what is on record afterwards."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, text, update

from coro_events.rules.sunset import expiry
from coro_events.store.tables import users, webhook_versions
from coro_events.store.unit import Database

RELEASE = datetime.fromisoformat("2026-03-02T10:00:00Z")
REMINDER = datetime.fromisoformat("2026-08-02T10:00:00Z")
WARNING = datetime.fromisoformat("2026-08-26T10:00:00Z")
EXPIRY = datetime.fromisoformat("2026-09-02T10:00:00Z")
END = datetime.fromisoformat("2026-09-03T10:00:00Z")


async def release_version_2(database: Database, at: datetime = RELEASE) -> None:
    """Release version 2, as an operator would."""
    async with database.write() as connection:
        for version, dates in ((2, {"released_at": at}), (1, {"expires_at": expiry(at)})):
            statement = update(webhook_versions).where(webhook_versions.c.version == version).values(dates)
            await connection.execute(statement)


async def insert_admin(database: Database, workspace_id: str, email: str, **changes: Any) -> str:
    """Insert a user, by default an administrator who wants mail; return the address."""
    values = {
        "id": uuid.uuid4(),
        "email": email,
        "password_hash": "not used",
        "workspace_id": workspace_id,
        "role": "administrator",
    } | changes
    async with database.write() as connection:
        await connection.execute(insert(users).values(values))
    return email


async def rows(database: Database, query: str, **params: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    async with database.read() as connection:
        return [tuple(row) for row in await connection.rows(text(query), params)]


async def notices_of(database: Database, webhook_id: uuid.UUID) -> list[str]:
    """Return the steps that a webhook has taken, in order."""
    query = (
        "select kind from notices where webhook_id = :id order by"
        " array_position(array['first', 'reminder', 'draft', 'warning', 'expired'], kind)"
    )
    return [kind for (kind,) in await rows(database, query, id=webhook_id)]


async def mails_of(database: Database) -> list[tuple[str, str, Sequence[str]]]:
    """Return kind, workspace and names of the listed webhooks of every sealed mail, in order."""
    query = (
        "select m.kind, m.workspace_id, array(select w.name from mail_webhooks l join webhooks w on w.id = l.webhook_id"
        " where l.mail_id = m.id order by w.name) from mails m where m.sealed_at is not null"
        " order by m.sealed_at, m.kind, m.workspace_id"
    )
    return [(kind, workspace, tuple(names)) for kind, workspace, names in await rows(database, query)]


async def recipients_of(database: Database) -> list[tuple[str, str]]:
    """Return kind and address of everybody who gets a mail, sorted."""
    query = "select m.kind, r.email from mail_recipients r join mails m on m.id = r.mail_id order by m.kind, r.email"
    return [(kind, email) for kind, email in await rows(database, query)]
