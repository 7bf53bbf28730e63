"""Where in a list one is, and how to go on."""

from collections.abc import Callable
from typing import NamedTuple


class Pager(NamedTuple):
    """What stands below a list; addresses are empty where there is no such page."""

    told: str
    previous: str
    next: str


def pager(address: Callable[[int], str], *, page: int, page_size: int, total: int) -> Pager:
    """Return what stands below a list.

    Args:
        address: From the number of a page, from 0, to its address.
        page: The one that is shown.
        page_size: How many items a page has.
        total: How many items there are.
    """
    first, last = page * page_size + 1, min(total, (page + 1) * page_size)
    told = f"{first:,} to {last:,} of {total:,}" if 0 < first <= last else ""
    return Pager(told, address(page - 1) if page > 0 else "", address(page + 1) if last < total else "")
