"""The chore that makes partitions ahead of time and drops those past the retention time."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from coro_events.store.partitions import DAYS_AHEAD, DAYS_BACK
from services.scheduler.chores.ports import PartitionStore
from services.scheduler.planned import Planned

# Around midnight a dispatcher may still file under what was the oldest day a moment ago.
_MARGIN_DAYS = 1


class Span(NamedTuple):
    """The days that must have a partition, and the day before which none may stay."""

    first: date
    last: date
    drop_before: date


def span(today: date, *, retention_days: int) -> Span:
    """Decide which days have partitions.

    Days on which an event may still be filed are kept even when the retention time is shorter.
    """
    kept_days = max(retention_days, DAYS_BACK + _MARGIN_DAYS)
    return Span(
        first=today - timedelta(days=DAYS_BACK),
        last=today + timedelta(days=DAYS_AHEAD),
        drop_before=today - timedelta(days=kept_days),
    )


class Partitions:
    """Satisfies `Chore`."""

    name = "partitions"

    def __init__(self, store: PartitionStore, *, retention_days: int) -> None:
        self._store = store
        self._retention_days = retention_days

    async def run_once(self, now: datetime) -> Mapping[str, object]:
        """Make first, so that a drop which is stuck behind a long query never stops tomorrow's events."""
        days = span(now.date(), retention_days=self._retention_days)
        made = await self._store.make(days.first, days.last)
        dropped = await self._store.drop(days.drop_before)
        return {"made": made, "dropped": dropped}

    async def preview(self, now: datetime) -> Sequence[Planned]:
        """Return which days would get partitions, and which would lose theirs."""
        days = span(now.date(), retention_days=self._retention_days)
        missing, old = await self._store.compare(days.first, days.last, days.drop_before)
        return [Planned("make partitions of", str(day)) for day in missing] + [
            Planned("drop partitions of", str(day)) for day in old
        ]
