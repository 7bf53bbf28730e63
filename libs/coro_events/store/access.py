"""The tables of who may call: API credentials, console users and their sessions."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import UUID

from coro_events.store.base import instant, metadata

_ROLES = "role in ('viewer', 'administrator', 'super_admin', 'service')"

api_credentials = Table(
    "api_credentials",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("client_id", Text, nullable=False, unique=True),
    # SHA-256 of the secret: 256 bits of chance need no slow hash.
    Column("secret_hash", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("workspace_id", Text, ForeignKey("workspaces.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", instant(), nullable=False, server_default=text("now()")),
    Column("expires_at", instant()),
    Column("last_used_at", instant()),
    Column("revoked_at", instant()),
    CheckConstraint(_ROLES, name="role"),
    Index("ix_api_credentials_workspace_id", "workspace_id"),
)

users = Table(
    "users",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    # Lower case, as typed at sign-in.
    Column("email", Text, nullable=False, unique=True),
    # argon2id in its own encoding; none of who signs in by OpenID Connect only.
    Column("password_hash", Text),
    Column("workspace_id", Text, ForeignKey("workspaces.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", instant(), nullable=False, server_default=text("now()")),
    # Whether mail is wanted.
    Column("notifications_level", Text, nullable=False, server_default="all"),
    CheckConstraint(_ROLES, name="role"),
    # Who it is to the OpenID provider, known from the first sign-in there.
    Column("oidc_issuer", Text),
    Column("oidc_subject", Text),
    CheckConstraint("notifications_level in ('none', 'all')", name="notifications_level"),
    CheckConstraint("(oidc_issuer is null) = (oidc_subject is null)", name="oidc_whole"),
    UniqueConstraint("oidc_issuer", "oidc_subject"),
    Index("ix_users_workspace_id", "workspace_id"),
)

sessions = Table(
    "sessions",
    metadata,
    # SHA-256 of the cookie's token: whoever reads the table cannot sign in with it.
    Column("token_hash", LargeBinary, primary_key=True),
    Column("user_id", UUID(as_uuid=True), ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    # Every form of the session carries it.
    Column("csrf", Text, nullable=False),
    Column("created_at", instant(), nullable=False, server_default=text("now()")),
    # To the minute; the session also ends when nothing was asked for a while.
    Column("last_seen_at", instant(), nullable=False),
    # When it ends whatever happens.
    Column("expires_at", instant(), nullable=False),
    Column("user_agent", Text, nullable=False, server_default=""),
    Index("ix_sessions_user_id", "user_id"),
    Index("ix_sessions_expires_at", "expires_at"),
)
