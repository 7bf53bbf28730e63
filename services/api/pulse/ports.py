"""What this room needs: what became of the latest deliveries, hour by hour."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol


class Counted(NamedTuple):
    """What became of the deliveries of one hour.

    Attributes:
        hours_ago: 0 for the sixty minutes up to now.
        whole: Whether all of them were counted; else these are some of that hour.
    """

    webhook_id: uuid.UUID
    hours_ago: int
    delivered: int
    failed: int
    whole: bool


class Outcomes(Protocol):
    """What became of deliveries."""

    async def by_hour(self, webhook_ids: Sequence[uuid.UUID], now: datetime, *, hours: int) -> Sequence[Counted]:
        """Return the hours in which something was delivered or failed."""
        ...
