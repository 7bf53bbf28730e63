"""Which failures mean that the database is away, mapped in one table at the seam.

An outage is worth trying again; anything else is a bug or a broken rule and stays what it is.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from coro_events.errors import StoreUnavailableError

# Classes and codes of SQLSTATE (PostgreSQL documentation, appendix A) that pass by themselves.
PASSING_SQLSTATES = (
    "08",  # connection exception
    "25006",  # read-only transaction: a standby during fail-over
    "25P03",  # idle in transaction time-out
    "40001",  # serialization failure
    "40P01",  # deadlock detected
    "53",  # insufficient resources: disk full, out of memory, too many connections
    "55P03",  # lock not available
    "57",  # operator intervention: cancelled by a time-out, shutting down, starting up
    "58",  # system error, such as an I/O error
)


def is_outage(error: BaseException) -> bool:
    """Return whether the same work may succeed later."""
    if isinstance(error, PoolTimeoutError | OSError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    sqlstate = getattr(error.orig, "sqlstate", None)
    if isinstance(sqlstate, str):
        return sqlstate.startswith(PASSING_SQLSTATES)
    # Without a code the server said nothing: the connection went away below asyncpg.
    return type(error.orig).__name__ == "InterfaceError"


@asynccontextmanager
async def outages() -> AsyncIterator[None]:
    """Turn an outage inside the block into a domain error.

    Raises:
        StoreUnavailableError: The database cannot be reached or broke off.
    """
    try:
        yield
    except (DBAPIError, PoolTimeoutError, OSError) as error:
        if is_outage(error):
            raise StoreUnavailableError(type(error).__name__) from error
        raise
