"""The tables of deliveries and their attempts, partitioned by the day of the event."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from coro_events.store.base import instant, metadata

deliveries = Table(
    "deliveries",
    metadata,
    Column("day", Date, nullable=False),
    Column("webhook_id", UUID(as_uuid=True), nullable=False),
    Column("event_id", UUID(as_uuid=True), nullable=False),
    # X-Coro-Hook-Id: random, new for each delivery, the same for all of its attempts.
    Column("hook_id", UUID(as_uuid=True), nullable=False),
    # Of the event, which may be a descendant of the webhook's workspace.
    Column("workspace_id", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default="event"),
    Column("state", Text, nullable=False, server_default="pending"),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    # Attempts before the last replay or retry by hand; the schedule counts from there.
    Column("attempts_before", SmallInteger, nullable=False, server_default="0"),
    # One attempt that never disables; of an event or a test, asked for by a person, also whatever the webhook's state.
    Column("manual", Boolean, nullable=False, server_default="false"),
    # When the next attempt is due; of one that was planned and claimed at once, the end of its lease, which keeps what
    # is under way out of the index of what is due.
    Column("due_at", instant(), nullable=False),
    # Who works on it, and until when nobody else may. In no index: a claim then writes the row alone and no index anew.
    Column("claim", UUID(as_uuid=True)),
    Column("leased_until", instant()),
    Column("created_at", instant(), nullable=False, server_default=text("now()")),
    Column("finished_at", instant()),
    # Also the guard against planning a delivery twice.
    PrimaryKeyConstraint("day", "webhook_id", "event_id"),
    CheckConstraint("kind in ('event', 'test', 'shadow')", name="kind"),
    CheckConstraint("state in ('pending', 'delivered', 'failed', 'held', 'discarded')", name="state"),
    Index("ix_deliveries_due", "webhook_id", "due_at", postgresql_where=text("state = 'pending'")),
    # A history, newest first; a batch makes hundreds of deliveries in the same moment, so time alone is no order.
    Index("ix_deliveries_history", "webhook_id", "created_at", "event_id"),
    # The same of those that few deliveries end in, so that a history of them alone need not search for them.
    Index(
        "ix_deliveries_unsuccessful",
        "webhook_id",
        "created_at",
        "event_id",
        postgresql_where=text("state in ('failed', 'held', 'discarded')"),
    ),
    # A receiver names a delivery by its hook id.
    Index("ix_deliveries_hook_id", "hook_id"),
    # What a replay takes up again.
    Index(
        "ix_deliveries_stopped",
        "webhook_id",
        "finished_at",
        postgresql_where=text("state in ('held', 'failed')"),
    ),
    # Shadows that wait, to be given up when their draft shadows no more.
    Index("ix_deliveries_shadows", "webhook_id", postgresql_where=text("kind = 'shadow' and state = 'pending'")),
    Index("ix_deliveries_tests", "webhook_id", "created_at", postgresql_where=text("kind = 'test'")),
    postgresql_partition_by="RANGE (day)",
)

attempts = Table(
    "attempts",
    metadata,
    Column("day", Date, nullable=False),
    Column("hook_id", UUID(as_uuid=True), nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("webhook_id", UUID(as_uuid=True), nullable=False),
    Column("started_at", instant(), nullable=False),
    Column("duration_ms", Integer, nullable=False),
    # One of dispatcher.deliver.outcome.Outcome.
    Column("outcome", Text, nullable=False),
    # HTTP status, null where no answer came.
    Column("status", SmallInteger),
    # What to tell the customer, null on success.
    Column("error", Text),
    # First 4 KiB of each, as text.
    Column("response_head", Text),
    Column("response_body", Text),
    PrimaryKeyConstraint("day", "hook_id", "number"),
    postgresql_partition_by="RANGE (day)",
)
