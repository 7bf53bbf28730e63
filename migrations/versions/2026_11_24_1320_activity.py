"""Indexes along which the activity log is searched.

Revision: 0006_activity
After: 0005_history
"""

from alembic import op

revision = "0006_activity"
down_revision = "0005_history"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_activity_log_at_id", "activity_log", ["at", "id"], unique=False)
    op.create_index("ix_activity_log_subject_at", "activity_log", ["subject", "at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_activity_log_subject_at", table_name="activity_log")
    op.drop_index("ix_activity_log_at_id", table_name="activity_log")
