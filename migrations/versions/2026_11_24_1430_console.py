"""Sessions of the console, and users that sign in by OpenID Connect.

Revision: 0009_console
After: 0008_mail
"""

import sqlalchemy as sa
from alembic import op

revision = "0009_console"
down_revision = "0008_mail"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("users", "password_hash", existing_type=sa.Text(), nullable=True)
    op.add_column("users", sa.Column("oidc_issuer", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("oidc_subject", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_users_oidc_whole"), "users", "(oidc_issuer is null) = (oidc_subject is null)")
    op.create_unique_constraint(op.f("uq_users_oidc_issuer_oidc_subject"), "users", ["oidc_issuer", "oidc_subject"])
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_agent", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"], unique=False)
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_sessions_expires_at", table_name="sessions")
    op.drop_index("ix_sessions_user_id", table_name="sessions")
    op.drop_table("sessions")
    op.drop_constraint(op.f("uq_users_oidc_issuer_oidc_subject"), "users", type_="unique")
    op.drop_constraint(op.f("ck_users_oidc_whole"), "users", type_="check")
    op.drop_column("users", "oidc_subject")
    op.drop_column("users", "oidc_issuer")
    # Whoever has no password cannot sign in before the change.
    op.execute("delete from users where password_hash is null")
    op.alter_column("users", "password_hash", existing_type=sa.Text(), nullable=False)
