"""The table of webhook versions and their life."""

from sqlalchemy import CheckConstraint, Column, SmallInteger, Table

from coro_events.store.base import instant, metadata

webhook_versions = Table(
    "webhook_versions",
    metadata,
    Column("version", SmallInteger, primary_key=True, autoincrement=False),
    Column("released_at", instant()),
    # Six calendar months after the release of the next version; null while it has none.
    Column("expires_at", instant()),
    CheckConstraint("version > 0", name="positive"),
)
