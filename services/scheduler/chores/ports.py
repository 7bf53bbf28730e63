"""What the chores need from the database."""

from datetime import date
from typing import Protocol


class PartitionStore(Protocol):
    """The daily partitions of events, deliveries and attempts."""

    async def make(self, first: date, last: date) -> list[str]:
        """Make what is missing from the first to the last day; return the names of the new partitions.

        Raises:
            StoreUnavailableError: The tables are busy or the database is away; what was made so far stays.
        """
        ...

    async def drop(self, before: date) -> list[str]:
        """Drop every partition of an earlier day, the oldest day first; return their names.

        Raises:
            StoreUnavailableError: The tables are busy or the database is away; what was dropped so far is gone.
        """
        ...

    async def compare(self, first: date, last: date, before: date) -> tuple[list[date], list[date]]:
        """Return the days that `make` and `drop` would change, each in order.

        Raises:
            StoreUnavailableError: The database is away.
        """
        ...
