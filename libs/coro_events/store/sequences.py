"""The table of sequences: how many events each workspace has had, whether or not it is known yet.

It is a table of its own: whoever changes the tree holds rows of workspaces for long, and counting must not wait.
"""

from sqlalchemy import BigInteger, Column, Table, Text

from coro_events.store.base import metadata

sequences = Table(
    "sequences",
    metadata,
    Column("workspace_id", Text, primary_key=True),
    # The number of the newest event.
    Column("last", BigInteger, nullable=False),
    # Room in every page, so that a new count takes the place of the old one and no index is touched.
    postgresql_with={"fillfactor": 50},
)
