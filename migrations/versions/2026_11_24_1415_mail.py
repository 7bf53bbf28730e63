"""Mails to admins: what each tells, who gets it, and who wants to hear.

Revision: 0008_mail
After: 0007_versions
"""

import sqlalchemy as sa
from alembic import op

revision = "0008_mail"
down_revision = "0007_versions"
branch_labels = None
depends_on = None

_FAILED_FOR_GOOD = "action = 'webhook.disabled' and actor = 'system:dispatcher'"


def upgrade() -> None:
    op.create_table(
        "mails",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=True),
        sa.Column("dedup_key", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("html", sa.Text(), nullable=True),
        sa.CheckConstraint("kind in ('first', 'reminder', 'expired', 'disabled')", name=op.f("ck_mails_kind")),
        sa.CheckConstraint(
            "(sealed_at is null) = (dedup_key is not null) and (sealed_at is null) = (subject is null)"
            " and (sealed_at is null) = (text is null) and (sealed_at is null) = (html is null)",
            name=op.f("ck_mails_open_or_sealed"),
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_mails_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        sa.UniqueConstraint("dedup_key", name=op.f("uq_mails_dedup_key")),
    )
    op.create_index("ix_mails_created_at", "mails", ["created_at"], unique=False)
    op.create_table(
        "mail_webhooks",
        sa.Column("mail_id", sa.UUID(), nullable=False),
        sa.Column("webhook_id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(["mail_id"], ["mails.id"], name=op.f("fk_mail_webhooks_mail_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_mail_webhooks_webhook_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mail_id", "webhook_id", name=op.f("pk_mail_webhooks")),
    )
    op.create_index("ix_mail_webhooks_webhook_id", "mail_webhooks", ["webhook_id"], unique=False)
    op.create_table(
        "mail_recipients",
        sa.Column("mail_id", sa.UUID(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claim", sa.UUID(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("state in ('pending', 'sent', 'failed')", name=op.f("ck_mail_recipients_state")),
        sa.CheckConstraint("(state = 'sent') = (sent_at is not null)", name=op.f("ck_mail_recipients_sent_has_time")),
        sa.ForeignKeyConstraint(["mail_id"], ["mails.id"], name=op.f("fk_mail_recipients_mail_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("mail_id", "email", name=op.f("pk_mail_recipients")),
    )
    op.create_index(
        "ix_mail_recipients_due",
        "mail_recipients",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "mail_causes",
        sa.Column("activity_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("activity_id", name=op.f("pk_mail_causes")),
    )
    op.create_index(
        "ix_activity_log_failed_for_good",
        "activity_log",
        ["at"],
        unique=False,
        postgresql_where=sa.text(_FAILED_FOR_GOOD),
    )
    op.add_column("users", sa.Column("notifications_level", sa.Text(), server_default="all", nullable=False))
    op.create_check_constraint(op.f("ck_users_notifications_level"), "users", "notifications_level in ('none', 'all')")
    op.add_column("workspaces", sa.Column("notifications_level", sa.Text(), server_default="all", nullable=False))
    op.create_check_constraint(
        op.f("ck_workspaces_notifications_level"),
        "workspaces",
        "notifications_level in ('none', 'parent', 'all', 'localAdmins')",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_workspaces_notifications_level"), "workspaces", type_="check")
    op.drop_column("workspaces", "notifications_level")
    op.drop_constraint(op.f("ck_users_notifications_level"), "users", type_="check")
    op.drop_column("users", "notifications_level")
    op.drop_index(
        "ix_activity_log_failed_for_good", table_name="activity_log", postgresql_where=sa.text(_FAILED_FOR_GOOD)
    )
    op.drop_table("mail_causes")
    op.drop_index("ix_mail_recipients_due", table_name="mail_recipients", postgresql_where=sa.text("state = 'pending'"))
    op.drop_table("mail_recipients")
    op.drop_index("ix_mail_webhooks_webhook_id", table_name="mail_webhooks")
    op.drop_table("mail_webhooks")
    op.drop_index("ix_mails_created_at", table_name="mails")
    op.drop_table("mails")
