"""What an error of PostgreSQL means to a caller."""

import asyncpg  # type: ignore[import-untyped] # it carries no types; only its error classes are used
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# Our own mistakes: trying again would not help.
_BUGS = (DataError, IntegrityError, NotSupportedError, ProgrammingError)


# What may be raised while the database is away, starting or overrun.
DATABASE_ERRORS: tuple[type[Exception], ...] = (
    DBAPIError,
    PoolTimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)


def database_is_away(error: BaseException) -> bool:
    """Return whether an error tells that the database cannot be used for now, rather than of a mistake of ours."""
    return isinstance(error, DATABASE_ERRORS) and not isinstance(error, _BUGS)
