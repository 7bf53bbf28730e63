"""Users and sessions in PostgreSQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from coro_events.store.tables import activity_log, sessions, users
from coro_events.store.unit import Database, WriteConnection
from services.api.access.roles import Role
from services.api.sessions.ports import Session, Told, User

_s = sessions.c
_u = users.c
_USER = (_u.id, _u.email, _u.password_hash, _u.workspace_id, _u.role, _u.oidc_issuer, _u.oidc_subject)


class SqlSessions:
    """Users and sessions on record, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def user_by_email(self, email: str) -> User | None:
        """Return the user of an address, in lower case."""
        return await self._user(_u.email == email)

    async def user_by_subject(self, issuer: str, subject: str) -> User | None:
        """Return the user that an OpenID provider names."""
        return await self._user(_u.oidc_issuer == issuer, _u.oidc_subject == subject)

    async def _user(self, *which: Any) -> User | None:
        async with self._database.read() as connection:
            row = await connection.row(select(*_USER).where(*which))
        return None if row is None else _user(row)

    async def link(self, user: User, *, issuer: str, subject: str) -> None:
        """Keep who a user is to an OpenID provider."""
        values = {"oidc_issuer": issuer, "oidc_subject": subject}
        async with self._database.write() as connection:
            await connection.execute(update(users).where(_u.id == user.id).values(values))

    async def open(self, session: Session, told: Told, *, instead_of: bytes | None) -> None:
        """Begin a session, in place of the one that the browser had, and write it down."""
        async with self._database.write() as connection:
            if instead_of is not None:
                await connection.execute(delete(sessions).where(_s.token_hash == instead_of))
            # Sessions that are over are of no use to anybody; whoever comes back takes one's own along.
            over = (_s.user_id == session.user.id, _s.expires_at <= told.at)
            await connection.execute(delete(sessions).where(*over))
            await connection.execute(
                insert(sessions).values(
                    token_hash=session.token_hash,
                    user_id=session.user.id,
                    csrf=session.csrf,
                    created_at=session.created_at,
                    last_seen_at=session.last_seen_at,
                    expires_at=session.expires_at,
                    user_agent=session.user_agent,
                )
            )
            await _record(connection, told)

    async def find(self, token_hash: bytes) -> Session | None:
        """Return a session and its user, as the user now is."""
        columns = (_s.csrf, _s.created_at, _s.last_seen_at, _s.expires_at, _s.user_agent)
        joined = sessions.join(users, _u.id == _s.user_id)
        statement = select(*columns, *_USER).select_from(joined).where(_s.token_hash == token_hash)
        async with self._database.read() as connection:
            row = await connection.row(statement)
        if row is None:
            return None
        return Session(
            token_hash=token_hash,
            user=_user(row),
            csrf=row.csrf,
            created_at=row.created_at,
            last_seen_at=row.last_seen_at,
            expires_at=row.expires_at,
            user_agent=row.user_agent,
        )

    async def mark_seen(self, session: Session, at: datetime) -> None:
        """Keep that the session was used."""
        async with self._database.write() as connection:
            this = _s.token_hash == session.token_hash
            await connection.execute(update(sessions).where(this).values(last_seen_at=at))

    async def close(self, session: Session, told: Told) -> None:
        """End a session, and write it down."""
        async with self._database.write() as connection:
            await connection.execute(delete(sessions).where(_s.token_hash == session.token_hash))
            await _record(connection, told)

    async def close_all(self, told: Told) -> int:
        """End all sessions of a user, and write it down; return how many there were."""
        async with self._database.write() as connection:
            closed = await connection.execute(delete(sessions).where(_s.user_id == told.user.id))
            await _record(connection, told)
        return closed.rowcount

    async def record(self, told: Told) -> None:
        """Write a line of the activity log."""
        async with self._database.write() as connection:
            await _record(connection, told)


async def _record(connection: WriteConnection, told: Told) -> None:
    await connection.execute(
        insert(activity_log).values(
            workspace_id=told.user.workspace_id,
            at=told.at,
            actor=f"user:{told.user.email}",
            action=told.action,
            subject=str(told.user.id),
            detail=dict(told.detail),
        )
    )


def _user(row: Row[Any]) -> User:
    return User(
        id=row.id,
        email=row.email,
        password_hash=row.password_hash,
        workspace_id=row.workspace_id,
        role=Role(row.role),
        oidc_issuer=row.oidc_issuer,
        oidc_subject=row.oidc_subject,
    )
