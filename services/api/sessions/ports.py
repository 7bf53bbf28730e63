"""What this room needs: users and sessions on record, and an OpenID provider."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from joserfc.jwk import KeySet

from services.api.access.ports import Member
from services.api.access.roles import Role


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in.

    Attributes:
        password_hash: argon2id in its own encoding; none of who signs in by OpenID Connect only.
        workspace_id: The top of what the user sees.
    """

    id: uuid.UUID
    email: str
    password_hash: str | None
    workspace_id: str
    role: Role
    oidc_issuer: str | None = None
    oidc_subject: str | None = None

    def __repr__(self) -> str:
        """Tell who, and nothing of the password."""
        return f"User({self.id})"

    @property
    def member(self) -> Member:
        """Return what the access room needs to know."""
        return Member(email=self.email, workspace_id=self.workspace_id, role=self.role)


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser; the token that opens it is in its cookie only.

    Attributes:
        csrf: Every form of this session carries it.
        expires_at: When it ends whatever happens.
    """

    token_hash: bytes
    user: User
    csrf: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    user_agent: str = ""


class Told(NamedTuple):
    """What the activity log learns of a user, such as `user.signed_in`."""

    user: User
    action: str
    at: datetime
    detail: Mapping[str, object]


class SessionStore(Protocol):
    """Users and sessions on record."""

    async def user_by_email(self, email: str) -> User | None:
        """Return the user of an address, in lower case."""
        ...

    async def user_by_subject(self, issuer: str, subject: str) -> User | None:
        """Return the user that an OpenID provider names."""
        ...

    async def link(self, user: User, *, issuer: str, subject: str) -> None:
        """Keep who a user is to an OpenID provider."""
        ...

    async def open(self, session: Session, told: Told, *, instead_of: bytes | None) -> None:
        """Begin a session, in place of the one that the browser had, and write it down."""
        ...

    async def find(self, token_hash: bytes) -> Session | None:
        """Return a session and its user, as the user now is."""
        ...

    async def mark_seen(self, session: Session, at: datetime) -> None:
        """Keep that the session was used."""
        ...

    async def close(self, session: Session, told: Told) -> None:
        """End a session, and write it down."""
        ...

    async def close_all(self, told: Told) -> int:
        """End all sessions of a user, and write it down; return how many there were."""
        ...

    async def record(self, told: Told) -> None:
        """Write a line of the activity log."""
        ...


class Endpoints(NamedTuple):
    """Where an OpenID provider does what."""

    issuer: str
    authorization: str
    token: str
    keys: str
    userinfo: str | None


class Provider(Protocol):
    """An OpenID provider, over the network.

    Each method raises ProviderFailed where it does not answer, or not as it should.
    """

    async def discover(self, issuer: str) -> Endpoints:
        """Return the provider's endpoints."""
        ...

    async def keys(self, endpoints: Endpoints) -> KeySet:
        """Return the keys that it signs with."""
        ...

    async def exchange(self, endpoints: Endpoints, form: Mapping[str, str]) -> Mapping[str, Any]:
        """Exchange an authorization code for tokens."""
        ...

    async def userinfo(self, endpoints: Endpoints, access_token: str) -> Mapping[str, Any]:
        """Return what it tells about the user."""
        ...
