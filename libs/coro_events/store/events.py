"""The table of domain events, partitioned by the day they happened."""

from sqlalchemy import BigInteger, Column, Date, Index, PrimaryKeyConstraint, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSON, UUID

from coro_events.store.base import instant, metadata

events = Table(
    "events",
    metadata,
    # From the event's own time, so that a repeat of an event meets its first copy in the same partition.
    Column("day", Date, nullable=False),
    # Derived from source and source_id, which together identify an event in CloudEvents.
    Column("id", UUID(as_uuid=True), nullable=False),
    Column("source", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("workspace_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("occurred_at", instant(), nullable=False),
    Column("received_at", instant(), nullable=False, server_default=text("now()")),
    # From 1 and without gaps in its workspace; null for tests.
    Column("sequence", BigInteger),
    # The workspace as it was when the event was taken in, so that every attempt sends the same bytes whatever becomes
    # of the tree. Null while nobody had announced it; then it is as of the replay that takes the event up.
    Column("workspace_name", Text),
    Column("workspace_type", Text),
    Column("workspace_path", ARRAY(Text)),
    Column("traceparent", Text),
    # json and not jsonb: a retry must send the very bytes of the first attempt, and jsonb reorders them.
    Column("data", JSON, nullable=False),
    PrimaryKeyConstraint("day", "id"),
    Index("ix_events_workspace_id_occurred_at", "workspace_id", "occurred_at"),
    postgresql_partition_by="RANGE (day)",
)
