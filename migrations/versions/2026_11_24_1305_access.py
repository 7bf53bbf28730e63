"""Keys of requests that may be repeated, and the secret before a rotation.

Revision: 0003_access
After: 0002_replays
"""

import sqlalchemy as sa
from alembic import op

revision = "0003_access"
down_revision = "0002_replays"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("claim", sa.UUID(), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_expires_at", "idempotency_keys", ["expires_at"], unique=False)
    op.add_column("webhooks", sa.Column("previous_secret_sealed", sa.LargeBinary(), nullable=True))
    op.add_column("webhooks", sa.Column("previous_secret_until", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_webhooks_previous_secret_ends"),
        "webhooks",
        "(previous_secret_sealed is null) = (previous_secret_until is null)",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_webhooks_previous_secret_ends"), "webhooks", type_="check")
    op.drop_column("webhooks", "previous_secret_until")
    op.drop_column("webhooks", "previous_secret_sealed")
    op.drop_index("ix_idempotency_keys_expires_at", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
