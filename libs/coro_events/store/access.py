"""The tables of who may call: API credentials and console users."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, Table, Text, text
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
    # argon2id in its own encoding.
    Column("password_hash", Text, nullable=False),
    Column("workspace_id", Text, ForeignKey("workspaces.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", instant(), nullable=False, server_default=text("now()")),
    CheckConstraint(_ROLES, name="role"),
    Index("ix_users_workspace_id", "workspace_id"),
)
