"""Indexes that a history of deliveries is read along.

Revision: 0005_history
After: 0004_workspaces
"""

import sqlalchemy as sa
from alembic import op

revision = "0005_history"
down_revision = "0004_workspaces"
branch_labels = None
depends_on = None

_UNSUCCESSFUL = "state in ('failed', 'held', 'discarded')"


def upgrade() -> None:
    # In place of the old one: it also tells deliveries of the same moment apart, of which a batch makes hundreds.
    op.create_index("ix_deliveries_history", "deliveries", ["webhook_id", "created_at", "event_id"], unique=False)
    op.drop_index("ix_deliveries_webhook_id_created_at", table_name="deliveries")
    op.create_index(
        "ix_deliveries_unsuccessful",
        "deliveries",
        ["webhook_id", "created_at", "event_id"],
        unique=False,
        postgresql_where=sa.text(_UNSUCCESSFUL),
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_unsuccessful", table_name="deliveries", postgresql_where=sa.text(_UNSUCCESSFUL))
    op.create_index("ix_deliveries_webhook_id_created_at", "deliveries", ["webhook_id", "created_at"], unique=False)
    op.drop_index("ix_deliveries_history", table_name="deliveries")
