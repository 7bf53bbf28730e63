"""Since when a workspace has its status, so that a late event changes nothing.

Revision: 0004_workspaces
After: 0003_access
"""

import sqlalchemy as sa
from alembic import op

revision = "0004_workspaces"
down_revision = "0003_access"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workspaces", sa.Column("status_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("workspaces", "status_at")
