"""What this room needs: the credentials on record."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from services.api.access.roles import Role


@dataclass(frozen=True, slots=True)
class Credential:
    """An API credential.

    Attributes:
        secret_hash: SHA-256 of the secret's UTF-8 bytes.
        workspace_id: The top of what it reaches.
    """

    id: uuid.UUID
    client_id: str
    secret_hash: bytes
    workspace_id: str
    role: Role
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def is_in_force(self, now: datetime) -> bool:
        """Return whether it may be used."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class Member(NamedTuple):
    """A person at the console: what is asked of a credential otherwise."""

    email: str
    workspace_id: str
    role: Role


class Found(NamedTuple):
    """A credential, and the place of the workspace it asks for.

    `path` holds the ids from the root down to that workspace; none where there is no such workspace.
    """

    credential: Credential
    path: tuple[str, ...] | None


class Credentials(Protocol):
    """The credentials on record."""

    async def find(self, client_id: str, workspace_id: str | None = None) -> Found | None:
        """Return a credential and the path of a workspace, in one look."""
        ...

    async def path(self, workspace_id: str) -> tuple[str, ...] | None:
        """Return the ids from the root down to a workspace; none where there is none that is not archived."""
        ...

    async def mark_used(self, credential: Credential, at: datetime) -> None:
        """Keep when it was last used."""
        ...

    async def record_sign_in(self, credential: Credential, at: datetime) -> None:
        """Keep when it was last used, and that it got a token, in the activity log."""
        ...
