"""The spine: every table that an event needs on its way to a signed delivery.

Revision: 0001_spine
After: nothing
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001_spine"
down_revision = None
branch_labels = None
depends_on = None

# A week back and two weeks ahead, so that a dispatcher can work before the scheduler's first round;
# from then on the scheduler makes them (coro_events.store.partitions has the same names).
_FIRST_PARTITIONS = """
do $$
declare
    parent text;
    d date;
begin
    foreach parent in array array['events', 'deliveries', 'attempts'] loop
        for d in select generate_series(current_date - 7, current_date + 14, interval '1 day')::date loop
            execute format('create table %I partition of %I for values from (%L) to (%L)',
                           parent || '_' || to_char(d, 'YYYYMMDD'), parent, d, d + 1);
        end loop;
    end loop;
end $$
"""


def upgrade() -> None:
    op.create_table(
        "activity_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_log")),
    )
    op.create_index("ix_activity_log_workspace_id_at", "activity_log", ["workspace_id", "at"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("hook_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("webhook_id", sa.UUID(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("response_head", sa.Text(), nullable=True),
        sa.Column("response_body", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("day", "hook_id", "number", name=op.f("pk_attempts")),
        postgresql_partition_by="RANGE (day)",
    )
    op.create_table(
        "consumed",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", name=op.f("pk_consumed")),
    )
    op.create_table(
        "deliveries",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("webhook_id", sa.UUID(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("hook_id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="event", nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claim", sa.UUID(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('event', 'test')", name=op.f("ck_deliveries_kind")),
        sa.CheckConstraint(
            "state in ('pending', 'delivered', 'failed', 'held', 'discarded')",
            name=op.f("ck_deliveries_state"),
        ),
        sa.PrimaryKeyConstraint("day", "webhook_id", "event_id", name=op.f("pk_deliveries")),
        postgresql_partition_by="RANGE (day)",
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["webhook_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index("ix_deliveries_webhook_id_created_at", "deliveries", ["webhook_id", "created_at"], unique=False)
    op.create_table(
        "events",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column("data", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("day", "id", name=op.f("pk_events")),
        postgresql_partition_by="RANGE (day)",
    )
    op.create_index("ix_events_workspace_id_occurred_at", "events", ["workspace_id", "occurred_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("message", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_table(
        "webhook_versions",
        sa.Column("version", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("version > 0", name=op.f("ck_webhook_versions_positive")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_webhook_versions")),
    )
    op.create_table(
        "workspaces",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("path", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="new", nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sequence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("type in ('channel', 'child', 'regular')", name=op.f("ck_workspaces_type")),
        sa.CheckConstraint("path[cardinality(path)] = id", name=op.f("ck_workspaces_path_ends_here")),
        sa.ForeignKeyConstraint(["parent_id"], ["workspaces.id"], name=op.f("fk_workspaces_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspaces")),
    )
    op.create_index("ix_workspaces_parent_id", "workspaces", ["parent_id"], unique=False)
    op.create_index("ix_workspaces_path", "workspaces", ["path"], unique=False, postgresql_using="gin")
    op.create_table(
        "api_credentials",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "role in ('viewer', 'administrator', 'super_admin', 'service')",
            name=op.f("ck_api_credentials_role"),
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_api_credentials_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_credentials")),
        sa.UniqueConstraint("client_id", name=op.f("uq_api_credentials_client_id")),
    )
    op.create_index("ix_api_credentials_workspace_id", "api_credentials", ["workspace_id"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("role in ('viewer', 'administrator', 'super_admin', 'service')", name=op.f("ck_users_role")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_users_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_index("ix_users_workspace_id", "users", ["workspace_id"], unique=False)
    op.create_table(
        "webhooks",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("apply_to_all_descendants", sa.Boolean(), nullable=False),
        sa.Column("triggers", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("headers_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), server_default="enabled", nullable=False),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.Column("draft_of", sa.UUID(), nullable=True),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(state = 'draft') = (draft_of is not null)", name=op.f("ck_webhooks_draft_has_original")),
        sa.CheckConstraint("state in ('draft', 'enabled', 'disabled', 'expired')", name=op.f("ck_webhooks_state")),
        sa.ForeignKeyConstraint(["draft_of"], ["webhooks.id"], name=op.f("fk_webhooks_draft_of"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["version"], ["webhook_versions.version"], name=op.f("fk_webhooks_version")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_webhooks_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_index(
        "ix_webhooks_enabled",
        "webhooks",
        ["workspace_id"],
        unique=False,
        postgresql_where=sa.text("state = 'enabled'"),
    )
    op.create_index(
        "uq_webhooks_workspace_id_name",
        "webhooks",
        ["workspace_id", "name"],
        unique=True,
        postgresql_where=sa.text("draft_of is null"),
    )
    op.execute("insert into webhook_versions (version, released_at) values (1, now())")
    op.execute(_FIRST_PARTITIONS)


def downgrade() -> None:
    op.drop_index("uq_webhooks_workspace_id_name", table_name="webhooks", postgresql_where=sa.text("draft_of is null"))
    op.drop_index("ix_webhooks_enabled", table_name="webhooks", postgresql_where=sa.text("state = 'enabled'"))
    op.drop_table("webhooks")
    op.drop_index("ix_users_workspace_id", table_name="users")
    op.drop_table("users")
    op.drop_index("ix_api_credentials_workspace_id", table_name="api_credentials")
    op.drop_table("api_credentials")
    op.drop_index("ix_workspaces_path", table_name="workspaces", postgresql_using="gin")
    op.drop_index("ix_workspaces_parent_id", table_name="workspaces")
    op.drop_table("workspaces")
    op.drop_table("webhook_versions")
    op.drop_table("outbox")
    op.drop_index("ix_events_workspace_id_occurred_at", table_name="events")
    op.drop_table("events")
    op.drop_index("ix_deliveries_webhook_id_created_at", table_name="deliveries")
    op.drop_index("ix_deliveries_due", table_name="deliveries", postgresql_where=sa.text("state = 'pending'"))
    op.drop_table("deliveries")
    op.drop_table("consumed")
    op.drop_table("attempts")
    op.drop_index("ix_activity_log_workspace_id_at", table_name="activity_log")
    op.drop_table("activity_log")
