"""Credentials in PostgreSQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, insert, literal, select, update

from coro_events.store.tables import activity_log, api_credentials, workspaces
from coro_events.store.unit import Database
from services.api.access.ports import Credential, Found
from services.api.access.roles import Role

_c = api_credentials.c


class SqlCredentials:
    """The credentials on record, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, client_id: str, workspace_id: str | None = None) -> Found | None:
        """Return a credential and the path of a workspace, in one statement."""
        # Nobody works in an archived workspace; those above it still read it.
        asked = and_(workspaces.c.id == literal(workspace_id), workspaces.c.archived_at.is_(None))
        statement = (
            select(api_credentials, workspaces.c.path)
            .select_from(api_credentials.outerjoin(workspaces, asked))
            .where(_c.client_id == client_id)
        )
        async with self._database.read() as connection:
            row = await connection.row(statement)
        if row is None:
            return None
        return Found(_credential(row), None if row.path is None else tuple(row.path))

    async def path(self, workspace_id: str) -> tuple[str, ...] | None:
        """Return the ids from the root down to a workspace; none where there is none that is not archived."""
        here = (workspaces.c.id == workspace_id, workspaces.c.archived_at.is_(None))
        async with self._database.read() as connection:
            path = await connection.scalar(select(workspaces.c.path).where(*here))
        return None if path is None else tuple(path)

    async def mark_used(self, credential: Credential, at: datetime) -> None:
        """Keep when it was last used."""
        async with self._database.write() as connection:
            await connection.execute(update(api_credentials).where(_c.id == credential.id).values(last_used_at=at))

    async def record_sign_in(self, credential: Credential, at: datetime) -> None:
        """Keep when it was last used, and that it got a token, in the activity log."""
        async with self._database.write() as connection:
            await connection.execute(update(api_credentials).where(_c.id == credential.id).values(last_used_at=at))
            await connection.execute(
                insert(activity_log).values(
                    workspace_id=credential.workspace_id,
                    at=at,
                    actor=f"credential:{credential.client_id}",
                    action="credential.signed_in",
                    subject=str(credential.id),
                    detail={},
                )
            )


def _credential(row: Row[Any]) -> Credential:
    return Credential(
        id=row.id,
        client_id=row.client_id,
        secret_hash=bytes(row.secret_hash),
        workspace_id=row.workspace_id,
        role=Role(row.role),
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
