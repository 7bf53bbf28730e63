"""Tells what in the tree of a caller needs somebody."""

from collections.abc import Sequence
from typing import NamedTuple

from coro_events.rules.sunset import WARNING
from coro_events.runtime.clock import Clock
from services.api.access.service import Caller
from services.api.attention.ports import Expiring, Standing, Standings, Totals

# So many of the webhooks that expire are named; the others are counted.
NAMED = 20


class Overview(NamedTuple):
    """One page of workspaces, and how the whole tree stands.

    Attributes:
        found: How many workspaces there are on all pages.
    """

    totals: Totals
    items: Sequence[Standing]
    found: int


class Soon(NamedTuple):
    """Webhooks whose version expires soon: the next ones by name, and how many there are."""

    items: Sequence[Expiring]
    total: int


class Attention:
    """Looks at all webhooks at and below the workspace of a request."""

    def __init__(self, *, standings: Standings, clock: Clock) -> None:
        self._standings = standings
        self._clock = clock

    async def overview(self, caller: Caller, *, ailing_only: bool, page: int, page_size: int) -> Overview:
        """Return how the webhooks of each workspace of the tree stand, those in need first."""
        now = self._clock.now()
        totals = await self._standings.totals(caller.workspace_id, now)
        items, found = await self._standings.page(
            caller.workspace_id, now, ailing_only=ailing_only, page=page, page_size=page_size
        )
        return Overview(totals, items, found)

    async def expiring(self, caller: Caller) -> Soon:
        """Return the enabled webhooks of the tree whose version expires within a week, or has expired already."""
        before = self._clock.now() + WARNING
        return Soon(*await self._standings.expiring(caller.workspace_id, before=before, limit=NAMED))
