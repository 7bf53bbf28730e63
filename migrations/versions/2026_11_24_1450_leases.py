"""Leases beside due times, so that a claim rewrites no index.

Revision: 0011_leases
After: 0010_sequences
"""

import sqlalchemy as sa
from alembic import op

revision = "0011_leases"
down_revision = "0010_sequences"
branch_labels = None
depends_on = None

# Partitions are made with it from now on (coro_events.store.partitions).
_SET_STORAGE = """
do $$
declare
    part regclass;
begin
    for part in select inhrelid::regclass from pg_inherits where inhparent = 'deliveries'::regclass loop
        execute format('alter table %s {change} (fillfactor{value})', part);
    end loop;
end $$
"""


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True))
    # Until now a claim's lease ended when the delivery was due again.
    op.execute("update deliveries set leased_until = due_at where claim is not null")
    op.execute(_SET_STORAGE.format(change="set", value=" = 90"))


def downgrade() -> None:
    op.execute(_SET_STORAGE.format(change="reset", value=""))
    op.execute("update deliveries set due_at = leased_until where claim is not null and leased_until is not null")
    op.drop_column("deliveries", "leased_until")
