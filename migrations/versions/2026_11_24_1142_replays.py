"""Replays, retries by hand, and the indexes that find single deliveries.

Revision: 0002_replays
After: 0001_spine
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002_replays"
down_revision = "0001_spine"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "replays",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("webhook_id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("includes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("rate_per_s", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("cursor_day", sa.Date(), nullable=False),
        sa.Column("cursor_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cursor_id", sa.UUID(), nullable=False),
        sa.Column("replayed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("expected", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('running', 'done', 'cancelled')", name=op.f("ck_replays_state")),
        sa.CheckConstraint("rate_per_s > 0", name=op.f("ck_replays_rate_positive")),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_replays_webhook_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replays")),
    )
    op.create_index("ix_replays_webhook_id_created_at", "replays", ["webhook_id", "created_at"], unique=False)
    op.create_index(
        "uq_replays_running", "replays", ["webhook_id"], unique=True, postgresql_where=sa.text("state = 'running'")
    )
    op.add_column("deliveries", sa.Column("attempts_before", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("deliveries", sa.Column("manual", sa.Boolean(), server_default="false", nullable=False))
    op.create_index("ix_deliveries_hook_id", "deliveries", ["hook_id"], unique=False)
    op.create_index(
        "ix_deliveries_stopped",
        "deliveries",
        ["webhook_id", "finished_at"],
        unique=False,
        postgresql_where=sa.text("state in ('held', 'failed')"),
    )
    op.create_index(
        "ix_deliveries_tests",
        "deliveries",
        ["webhook_id", "created_at"],
        unique=False,
        postgresql_where=sa.text("kind = 'test'"),
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_tests", table_name="deliveries", postgresql_where=sa.text("kind = 'test'"))
    op.drop_index(
        "ix_deliveries_stopped", table_name="deliveries", postgresql_where=sa.text("state in ('held', 'failed')")
    )
    op.drop_index("ix_deliveries_hook_id", table_name="deliveries")
    op.drop_column("deliveries", "manual")
    op.drop_column("deliveries", "attempts_before")
    op.drop_index("uq_replays_running", table_name="replays", postgresql_where=sa.text("state = 'running'"))
    op.drop_index("ix_replays_webhook_id_created_at", table_name="replays")
    op.drop_table("replays")
