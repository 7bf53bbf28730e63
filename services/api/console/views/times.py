"""Times as people read them: how long ago, or which day; the exact one in UTC stands beside it."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
# Beyond, a date says more.
_LONGEST = timedelta(days=30)
_NOW = timedelta(seconds=45)


class Moment(NamedTuple):
    """A time: for a sentence, exactly, and for programs."""

    text: str
    exact: str
    iso: str


def moment(milliseconds: int, now: datetime) -> Moment:
    """Return a time that lies near the present as `3 minutes ago` or `in 2 days`, others as a day."""
    at = _EPOCH + timedelta(milliseconds=milliseconds)
    gap = now - at
    away = abs(gap)
    if away < _NOW:
        text = "just now"
    elif away >= _LONGEST:
        text = day(at)
    else:
        seconds = away.total_seconds()
        size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), _UNITS[-1])
        count = max(1, round(seconds / size))
        amount = f"{count} {unit}{'s' if count > 1 else ''}"
        text = f"{amount} ago" if gap > timedelta(0) else f"in {amount}"
    return Moment(text, f"{day(at)}, {at:%H:%M:%S} UTC", at.isoformat(timespec="seconds").replace("+00:00", "Z"))


def day(at: datetime) -> str:
    """Return a day as `24 November 2026`."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y}"
