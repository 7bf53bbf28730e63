"""The metadata that every table joins, and how constraints are named."""

from sqlalchemy import DateTime, MetaData

# Named constraints can be dropped and altered by a migration on any server.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def instant() -> DateTime:
    """Return the column type of every point in time: UTC, with its zone."""
    return DateTime(timezone=True)
