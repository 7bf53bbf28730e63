"""The credentials of workspaces in PostgreSQL."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, or_, select, update

from coro_events.store.tables import api_credentials
from coro_events.store.unit import Database, WriteConnection
from services.api.access.roles import Role
from services.api.credentials.ports import ApiCredential, CredentialChange
from services.api.idempotency.ports import KeptAnswer
from services.api.idempotency.sql import keep_answer
from services.api.webhooks.ports import Activity
from services.api.webhooks.sql import record_activity

_c = api_credentials.c
# With the workspace's hash, names the lock behind which credentials are counted.
_RESERVE_LOCK = 1_464_881_219


class SqlCredentialStore:
    """The credentials on record, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def change(self) -> AsyncIterator[CredentialChange]:
        """Open a transaction that ends with the block."""
        async with self._database.write() as connection:
            yield SqlCredentialChange(connection)

    async def one(self, workspace_id: str, credential_id: uuid.UUID) -> ApiCredential | None:
        """Return a credential of a workspace."""
        here = (_c.id == credential_id, _c.workspace_id == workspace_id)
        async with self._database.read() as connection:
            row = await connection.row(select(api_credentials).where(*here))
        return None if row is None else _credential(row)

    async def page(self, workspace_id: str, *, page: int, page_size: int) -> tuple[list[ApiCredential], int]:
        """Return one page of a workspace's credentials, newest first, and how many there are."""
        here = _c.workspace_id == workspace_id
        newest = select(api_credentials).where(here).order_by(_c.created_at.desc(), _c.id)
        async with self._database.read() as connection:
            total: int = await connection.scalar(select(func.count()).select_from(api_credentials).where(here))
            rows = await connection.rows(newest.limit(page_size).offset(page * page_size))
        return [_credential(row) for row in rows], total


class SqlCredentialChange:
    """One transaction that changes credentials."""

    def __init__(self, connection: WriteConnection) -> None:
        self._connection = connection

    async def reserve(self, workspace_id: str, now: datetime) -> int:
        """Keep others from adding credentials to a workspace; return how many of it are in force."""
        lock = func.pg_advisory_xact_lock(func.hashtextextended(workspace_id, _RESERVE_LOCK))
        await self._connection.execute(select(lock))
        in_force = (_c.workspace_id == workspace_id, _c.revoked_at.is_(None))
        unexpired = or_(_c.expires_at.is_(None), _c.expires_at > now)
        count = select(func.count()).select_from(api_credentials).where(*in_force, unexpired)
        total: int = await self._connection.scalar(count)
        return total

    async def insert(self, credential: ApiCredential, *, secret_hash: bytes) -> None:
        """Add a credential."""
        await self._connection.execute(
            insert(api_credentials).values(
                id=credential.id,
                client_id=credential.client_id,
                secret_hash=secret_hash,
                name=credential.name,
                workspace_id=credential.workspace_id,
                role=credential.role.value,
                created_at=credential.created_at,
                expires_at=credential.expires_at,
            )
        )

    async def lock(self, workspace_id: str, credential_id: uuid.UUID) -> ApiCredential | None:
        """Return a credential of a workspace, and keep others from changing it."""
        here = (_c.id == credential_id, _c.workspace_id == workspace_id)
        row = await self._connection.row(select(api_credentials).where(*here).with_for_update())
        return None if row is None else _credential(row)

    async def revoke(self, credential_id: uuid.UUID, at: datetime) -> None:
        """Put a locked credential out of force."""
        await self._connection.execute(update(api_credentials).where(_c.id == credential_id).values(revoked_at=at))

    async def record(self, activity: Activity) -> None:
        """Write a line of the activity log."""
        await record_activity(self._connection, activity)

    async def keep(self, answer: KeptAnswer) -> None:
        """Keep the answer to the request of an idempotency key, or raise StillUnderWay."""
        await keep_answer(self._connection, answer)


def _credential(row: Row[Any]) -> ApiCredential:
    return ApiCredential(
        id=row.id,
        client_id=row.client_id,
        name=row.name,
        workspace_id=row.workspace_id,
        role=Role(row.role),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
