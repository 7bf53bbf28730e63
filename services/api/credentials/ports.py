"""What this room needs: the credentials of a workspace, and changes of them in one transaction."""

import uuid
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.api.access.roles import Role
from services.api.idempotency.ports import KeptAnswer
from services.api.webhooks.ports import Activity


@dataclass(frozen=True, slots=True)
class ApiCredential:
    """A credential as people manage it; its secret is nowhere."""

    id: uuid.UUID
    client_id: str
    name: str
    workspace_id: str
    role: Role
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class CredentialChange(Protocol):
    """One transaction: the change and its line in the activity log, or nothing of it."""

    async def reserve(self, workspace_id: str, now: datetime) -> int:
        """Keep others from adding credentials to a workspace; return how many of it are in force."""
        ...

    async def insert(self, credential: ApiCredential, *, secret_hash: bytes) -> None:
        """Add a credential."""
        ...

    async def lock(self, workspace_id: str, credential_id: uuid.UUID) -> ApiCredential | None:
        """Return a credential of a workspace, and keep others from changing it."""
        ...

    async def revoke(self, credential_id: uuid.UUID, at: datetime) -> None:
        """Put a locked credential out of force."""
        ...

    async def record(self, activity: Activity) -> None:
        """Write a line of the activity log."""
        ...

    async def keep(self, answer: KeptAnswer) -> None:
        """Keep the answer to the request of an idempotency key.

        Raises:
            StillUnderWay: Another request answers it; nothing of this change may count.
        """
        ...


class CredentialStore(Protocol):
    """The credentials on record."""

    def change(self) -> AbstractAsyncContextManager[CredentialChange]:
        """Open a transaction that ends with the block."""
        ...

    async def one(self, workspace_id: str, credential_id: uuid.UUID) -> ApiCredential | None:
        """Return a credential of a workspace."""
        ...

    async def page(self, workspace_id: str, *, page: int, page_size: int) -> tuple[Sequence[ApiCredential], int]:
        """Return one page of a workspace's credentials, newest first, and how many there are."""
        ...
