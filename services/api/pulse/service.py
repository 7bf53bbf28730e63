"""Tells how webhooks fare."""

import uuid
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from coro_events.runtime.clock import Clock
from services.api.pulse.ports import Outcomes

HOURS = 24


class Hour(NamedTuple):
    """What became of the deliveries of one hour; of a busy one, of some of them."""

    delivered: int = 0
    failed: int = 0


class Beat(NamedTuple):
    """How a webhook fares.

    Attributes:
        hours: The oldest first.
        whole: Whether every delivery was counted; else the share is an estimate.
    """

    hours: tuple[Hour, ...]
    whole: bool = True

    @property
    def share(self) -> float | None:
        """The share of successes, from 0 to 1; none where nothing was delivered and nothing failed."""
        delivered = sum(hour.delivered for hour in self.hours)
        total = delivered + sum(hour.failed for hour in self.hours)
        return delivered / total if total else None


SILENCE = Beat((Hour(),) * HOURS)


class Pulse:
    """How webhooks fare."""

    def __init__(self, *, outcomes: Outcomes, clock: Clock) -> None:
        self._outcomes = outcomes
        self._clock = clock

    async def of(self, webhook_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, Beat]:
        """Return how webhooks have fared in the last 24 hours; the caller may see them."""
        if not webhook_ids:
            return {}
        counted = await self._outcomes.by_hour(webhook_ids, self._clock.now(), hours=HOURS)
        hours = {webhook_id: [Hour()] * HOURS for webhook_id in webhook_ids}
        for one in counted:
            hours[one.webhook_id][HOURS - 1 - one.hours_ago] = Hour(one.delivered, one.failed)
        partly = {one.webhook_id for one in counted if not one.whole}
        return {webhook_id: Beat(tuple(found), webhook_id not in partly) for webhook_id, found in hours.items()}
