"""The table of replays: what a webhook missed, sent again batch by batch."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from coro_events.store.base import instant, metadata

replays = Table(
    "replays",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("webhook_id", UUID(as_uuid=True), ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("workspace_id", Text, nullable=False),
    # What is taken up: missed, held, failed.
    Column("includes", ARRAY(Text), nullable=False),
    # Events that happened from then on and were here before the replay was asked for.
    Column("since", instant(), nullable=False),
    Column("created_at", instant(), nullable=False, server_default=text("now()")),
    # Deliveries a second, so that live traffic is not crowded out.
    Column("rate_per_s", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default="running"),
    Column("reason", Text),
    # How far it has come: everything up to this event is done.
    Column("cursor_day", Date, nullable=False),
    Column("cursor_at", instant(), nullable=False),
    Column("cursor_id", UUID(as_uuid=True), nullable=False),
    # Deliveries planned or taken up again so far, and how many there were to be when it began.
    Column("replayed", BigInteger, nullable=False, server_default="0"),
    Column("expected", BigInteger, nullable=False, server_default="0"),
    # When the next batch may be taken.
    Column("next_at", instant(), nullable=False, server_default=text("now()")),
    Column("finished_at", instant()),
    CheckConstraint("state in ('running', 'done', 'cancelled')", name="state"),
    CheckConstraint("rate_per_s > 0", name="rate_positive"),
    # One at a time a webhook: two would only be in each other's way.
    Index("uq_replays_running", "webhook_id", unique=True, postgresql_where=text("state = 'running'")),
    Index("ix_replays_webhook_id_created_at", "webhook_id", "created_at"),
)
