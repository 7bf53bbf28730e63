"""The activity log: who did what to which webhook, and when."""

from sqlalchemy import BigInteger, Column, Identity, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from coro_events.store.base import instant, metadata

activity_log = Table(
    "activity_log",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("workspace_id", Text, nullable=False),
    Column("at", instant(), nullable=False, server_default=text("now()")),
    # credential:<client id>, user:<email> or system:<service>.
    Column("actor", Text, nullable=False),
    # noun.past, such as webhook.disabled.
    Column("action", Text, nullable=False),
    # The id of what it happened to.
    Column("subject", Text, nullable=False),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
    Index("ix_activity_log_workspace_id_at", "workspace_id", "at"),
    # A whole subtree, newest first.
    Index("ix_activity_log_at_id", "at", "id"),
    # What happened to one webhook.
    Index("ix_activity_log_subject_at", "subject", "at"),
    # What the admins must be told by mail.
    Index(
        "ix_activity_log_failed_for_good",
        "at",
        postgresql_where=text("action = 'webhook.disabled' and actor = 'system:dispatcher'"),
    ),
)
