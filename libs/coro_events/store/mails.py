"""The tables of mails to admins: what each tells, which webhooks it lists, and who gets it."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from coro_events.store.base import instant, metadata

# One mail tells the admins of one workspace. It is open while webhooks are still added to it, and sealed once its words
# are written; only a sealed one is sent.
mails = Table(
    "mails",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    # Whose admins get it.
    Column("workspace_id", Text, ForeignKey("workspaces.id"), nullable=False),
    Column("kind", Text, nullable=False),
    # The version whose sunset it is about; null where it is about none.
    Column("version", SmallInteger),
    # Kind, version and workspace while it is open, so that there is one such mail at a time; null from then on.
    Column("dedup_key", Text, unique=True),
    Column("created_at", instant(), nullable=False),
    Column("sealed_at", instant()),
    Column("subject", Text),
    Column("text", Text),
    Column("html", Text),
    CheckConstraint("kind in ('first', 'reminder', 'expired', 'disabled')", name="kind"),
    CheckConstraint(
        "(sealed_at is null) = (dedup_key is not null) and (sealed_at is null) = (subject is null)"
        " and (sealed_at is null) = (text is null) and (sealed_at is null) = (html is null)",
        name="open_or_sealed",
    ),
    Index("ix_mails_created_at", "created_at"),
)

mail_webhooks = Table(
    "mail_webhooks",
    metadata,
    Column("mail_id", UUID(as_uuid=True), ForeignKey("mails.id", ondelete="CASCADE"), nullable=False),
    Column("webhook_id", UUID(as_uuid=True), ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    PrimaryKeyConstraint("mail_id", "webhook_id"),
    # For the removal of a webhook.
    Index("ix_mail_webhooks_webhook_id", "webhook_id"),
)

mail_recipients = Table(
    "mail_recipients",
    metadata,
    Column("mail_id", UUID(as_uuid=True), ForeignKey("mails.id", ondelete="CASCADE"), nullable=False),
    Column("email", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="pending"),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    # When it may be sent: the next attempt of a free one, the end of the lease of a claimed one.
    Column("due_at", instant(), nullable=False),
    Column("claim", UUID(as_uuid=True)),
    Column("sent_at", instant()),
    # What the mail server said last, where it did not take the mail.
    Column("error", Text),
    PrimaryKeyConstraint("mail_id", "email"),
    CheckConstraint("state in ('pending', 'sent', 'failed')", name="state"),
    CheckConstraint("(state = 'sent') = (sent_at is not null)", name="sent_has_time"),
    Index("ix_mail_recipients_due", "due_at", postgresql_where=text("state = 'pending'")),
)

# Which lines of the activity log are in a mail, or have nobody to be told.
mail_causes = Table(
    "mail_causes",
    metadata,
    Column("activity_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", instant(), nullable=False),
)
