"""The life of webhook versions: version 2, drafts that are published or shadow, and which notice was given.

Revision: 0007_versions
After: 0006_activity
"""

import sqlalchemy as sa
from alembic import op

revision = "0007_versions"
down_revision = "0006_activity"
branch_labels = None
depends_on = None

_MATCHED = "state = 'enabled' or shadow_url is not null"
_NAMED = "draft_of is null and replaced_by is null and state <> 'expired'"

_ADD_KIND = "alter table deliveries add constraint ck_deliveries_kind check (kind in ({kinds})) not valid"
_CHECK_KIND = "alter table deliveries validate constraint ck_deliveries_kind"


def _allow_kinds(kinds: str) -> None:
    """Change what kinds of deliveries there may be, in the parent and with it in every partition."""
    op.drop_constraint(op.f("ck_deliveries_kind"), "deliveries", type_="check")
    op.execute(_ADD_KIND.format(kinds=kinds))
    op.execute(_CHECK_KIND)


def _reindex(*, matched: str, named: str) -> None:
    op.drop_index("ix_webhooks_enabled", table_name="webhooks")
    op.create_index(
        "ix_webhooks_enabled", "webhooks", ["workspace_id"], unique=False, postgresql_where=sa.text(matched)
    )
    op.drop_index("uq_webhooks_workspace_id_name", table_name="webhooks")
    op.create_index(
        "uq_webhooks_workspace_id_name",
        "webhooks",
        ["workspace_id", "name"],
        unique=True,
        postgresql_where=sa.text(named),
    )


def upgrade() -> None:
    # Shipped and not released: no webhook is made of it before an operator releases it.
    op.execute("insert into webhook_versions (version) values (2) on conflict do nothing")
    op.add_column("webhooks", sa.Column("replaced_by", sa.UUID(), nullable=True))
    op.add_column("webhooks", sa.Column("shadow_url", sa.Text(), nullable=True))
    op.add_column("webhooks", sa.Column("expired_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        op.f("fk_webhooks_replaced_by"), "webhooks", "webhooks", ["replaced_by"], ["id"], ondelete="SET NULL"
    )
    op.create_check_constraint(op.f("ck_webhooks_shadow_is_draft"), "webhooks", "shadow_url is null or state = 'draft'")
    op.create_check_constraint(
        op.f("ck_webhooks_replaced_is_stopped"), "webhooks", "replaced_by is null or state in ('disabled', 'expired')"
    )
    _reindex(matched=_MATCHED, named=_NAMED)
    op.create_index(
        "uq_webhooks_draft_of",
        "webhooks",
        ["draft_of"],
        unique=True,
        postgresql_where=sa.text("draft_of is not null"),
    )
    op.create_index(
        "ix_webhooks_replaced_by",
        "webhooks",
        ["replaced_by"],
        unique=False,
        postgresql_where=sa.text("replaced_by is not null"),
    )
    op.create_table(
        "notices",
        sa.Column("webhook_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind in ('first', 'reminder', 'draft', 'warning', 'expired')", name=op.f("ck_notices_kind")
        ),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_notices_webhook_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("webhook_id", "version", "kind", name=op.f("pk_notices")),
    )
    _allow_kinds("'event', 'test', 'shadow'")


def downgrade() -> None:
    # What only the newer schema knows goes: shadows, drafts of version 2 and whatever else is of it.
    op.execute("delete from deliveries where kind = 'shadow'")
    _allow_kinds("'event', 'test'")
    op.drop_table("notices")
    op.drop_index("ix_webhooks_replaced_by", table_name="webhooks", postgresql_where=sa.text("replaced_by is not null"))
    op.drop_index("uq_webhooks_draft_of", table_name="webhooks", postgresql_where=sa.text("draft_of is not null"))
    op.execute("delete from webhooks where version = 2")
    op.execute(
        "update webhooks w set name = left(w.name, 60) || ' ' || w.id from webhooks o"
        " where o.workspace_id = w.workspace_id and o.name = w.name and o.id <> w.id and w.draft_of is null"
        " and o.draft_of is null and (w.replaced_by is not null or w.state = 'expired')"
    )
    _reindex(matched="state = 'enabled'", named="draft_of is null")
    op.drop_constraint(op.f("ck_webhooks_replaced_is_stopped"), "webhooks", type_="check")
    op.drop_constraint(op.f("ck_webhooks_shadow_is_draft"), "webhooks", type_="check")
    op.drop_constraint(op.f("fk_webhooks_replaced_by"), "webhooks", type_="foreignkey")
    op.drop_column("webhooks", "expired_at")
    op.drop_column("webhooks", "shadow_url")
    op.drop_column("webhooks", "replaced_by")
    op.execute("update webhook_versions set expires_at = null where version = 1")
    op.execute("delete from webhook_versions where version = 2")
