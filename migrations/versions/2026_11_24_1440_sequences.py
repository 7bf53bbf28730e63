"""A number for every event in its workspace, the place where it happened, and what shadows wait.

Revision: 0010_sequences
After: 0009_console
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010_sequences"
down_revision = "0009_console"
branch_labels = None
depends_on = None

# What is on record already gets its number in the order in which it came, and the place as it is now.
_NUMBER = """
    update events e set sequence = n.number from (
        select day, id, row_number() over (partition by workspace_id order by received_at, id) as number
        from events where type <> 'test'
    ) as n where e.day = n.day and e.id = n.id
"""
_REMEMBER = """
    insert into sequences (workspace_id, last)
    select workspace_id, max(sequence) from events where sequence is not null group by workspace_id
"""
_PLACE = """
    update events e set workspace_name = k.display_name, workspace_type = k.type, workspace_path = k.path
    from workspaces k where k.id = e.workspace_id
"""


def upgrade() -> None:
    op.create_table(
        "sequences",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("pk_sequences")),
        postgresql_with={"fillfactor": 50},
    )
    op.add_column("events", sa.Column("workspace_name", sa.Text(), nullable=True))
    op.add_column("events", sa.Column("workspace_type", sa.Text(), nullable=True))
    op.add_column("events", sa.Column("workspace_path", postgresql.ARRAY(sa.Text()), nullable=True))
    op.execute(_NUMBER)
    op.execute(_REMEMBER)
    op.execute(_PLACE)
    # Never written: the numbers are counted beside the tree, whose rows others hold for long.
    op.drop_column("workspaces", "last_sequence")
    op.create_index(
        "ix_deliveries_shadows",
        "deliveries",
        ["webhook_id"],
        unique=False,
        postgresql_where=sa.text("kind = 'shadow' and state = 'pending'"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_deliveries_shadows",
        table_name="deliveries",
        postgresql_where=sa.text("kind = 'shadow' and state = 'pending'"),
    )
    op.add_column("workspaces", sa.Column("last_sequence", sa.BigInteger(), server_default="0", nullable=False))
    op.drop_column("events", "workspace_path")
    op.drop_column("events", "workspace_type")
    op.drop_column("events", "workspace_name")
    op.drop_table("sequences")
    op.execute("update events set sequence = null where sequence is not null")
