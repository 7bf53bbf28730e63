"""The table of webhook configurations; secrets and header values are sealed (see vault)."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from coro_events.store.base import instant, metadata

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("workspace_id", Text, ForeignKey("workspaces.id"), nullable=False),
    Column("version", SmallInteger, ForeignKey("webhook_versions.version"), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("url", Text, nullable=False),
    Column("apply_to_all_descendants", Boolean, nullable=False),
    # Slugs of triggers, such as workspace-created.
    Column("triggers", ARRAY(Text), nullable=False),
    Column("secret_sealed", LargeBinary, nullable=False),
    # One sealed JSON object, name to value; null where there are none.
    Column("headers_sealed", LargeBinary),
    # The secret before the last rotation, which also signs until then.
    Column("previous_secret_sealed", LargeBinary),
    Column("previous_secret_until", instant()),
    Column("state", Text, nullable=False, server_default="enabled"),
    Column("disabled_reason", Text),
    Column("draft_of", UUID(as_uuid=True), ForeignKey("webhooks.id", ondelete="CASCADE")),
    # The published draft that took over; null once it is a draft again or is removed.
    Column("replaced_by", UUID(as_uuid=True), ForeignKey("webhooks.id", ondelete="SET NULL")),
    # Where a draft's format is tried out while its original stays in charge; null where it is not.
    Column("shadow_url", Text),
    Column("expired_at", instant()),
    # Counts edits; the ETag of the record.
    Column("revision", BigInteger, nullable=False, server_default="1"),
    Column("created_at", instant(), nullable=False, server_default=text("now()")),
    Column("updated_at", instant(), nullable=False, server_default=text("now()")),
    CheckConstraint("state in ('draft', 'enabled', 'disabled', 'expired')", name="state"),
    CheckConstraint("(state = 'draft') = (draft_of is not null)", name="draft_has_original"),
    CheckConstraint("(previous_secret_sealed is null) = (previous_secret_until is null)", name="previous_secret_ends"),
    CheckConstraint("shadow_url is null or state = 'draft'", name="shadow_is_draft"),
    CheckConstraint("replaced_by is null or state in ('disabled', 'expired')", name="replaced_is_stopped"),
    # What the dispatcher matches against: nothing but enabled webhooks and drafts that are tried out.
    Index("ix_webhooks_enabled", "workspace_id", postgresql_where=text("state = 'enabled' or shadow_url is not null")),
    # One draft a webhook; the newest version takes the place of any before.
    Index("uq_webhooks_draft_of", "draft_of", unique=True, postgresql_where=text("draft_of is not null")),
    Index("ix_webhooks_replaced_by", "replaced_by", postgresql_where=text("replaced_by is not null")),
    # A name is free again for whatever takes over from a webhook whose life is over.
    Index(
        "uq_webhooks_workspace_id_name",
        "workspace_id",
        "name",
        unique=True,
        postgresql_where=text("draft_of is null and replaced_by is null and state <> 'expired'"),
    ),
)
