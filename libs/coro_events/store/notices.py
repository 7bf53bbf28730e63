"""The table of notices: which step of its version's sunset each webhook has gone through."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, PrimaryKeyConstraint, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from coro_events.store.base import instant, metadata

notices = Table(
    "notices",
    metadata,
    Column("webhook_id", UUID(as_uuid=True), ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("version", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", instant(), nullable=False, server_default=text("now()")),
    # Each step once, whoever takes it and however often it is tried.
    PrimaryKeyConstraint("webhook_id", "version", "kind"),
    CheckConstraint("kind in ('first', 'reminder', 'draft', 'warning', 'expired')", name="kind"),
)
