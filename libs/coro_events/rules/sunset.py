"""The life of a webhook version: when it expires, and which step of its sunset a webhook has before it now."""

from calendar import monthrange
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SUNSET_MONTHS = 6
REMINDER_MONTHS = 1
WARNING = timedelta(days=7)
# What is left of a version's life after its expiry.
GRACE = timedelta(hours=24)


class Notice(StrEnum):
    """A step of the sunset, in order; each is taken at most once for a webhook of a version."""

    # Mail: the next version is released, and when this one expires.
    FIRST = "first"
    # Mail: a month is left, and there is a draft.
    REMINDER = "reminder"
    # A copy of the webhook at the newest version, which delivers nothing.
    DRAFT = "draft"
    # From now on the console warns.
    WARNING = "warning"
    # The webhook delivers nothing any more; mail.
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Sunset:
    """The dates of a version whose successor has a date of release.

    Attributes:
        began_at: When the next version is released.
        expires_at: When this one expires.
    """

    began_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """When a step is due: from `start` on, and from `end` on no more."""

    start: datetime
    end: datetime | None

    def holds(self, now: datetime) -> bool:
        """Return whether it is now."""
        return self.start <= now and (self.end is None or now < self.end)


_ORDER = {notice: place for place, notice in enumerate(Notice)}


def add_months(at: datetime, months: int) -> datetime:
    """Return the same day and time so many calendar months later; the month's last day where it lacks the day."""
    years, month = divmod(at.month - 1 + months, 12)
    year = at.year + years
    return at.replace(year=year, month=month + 1, day=min(at.day, monthrange(year, month + 1)[1]))


def expiry(next_released_at: datetime) -> datetime:
    """Return when a version expires, from the release of the next one (aware, UTC)."""
    return add_months(next_released_at, SUNSET_MONTHS)


def span_of(notice: Notice, sunset: Sunset) -> Span:
    """Return when a step of the sunset is due.

    A step is overtaken when a later one says all that it would have said: the first notice by the reminder, the
    reminder by the expiry, and draft and warning by the end of the webhook.
    """
    month_before = add_months(sunset.expires_at, -REMINDER_MONTHS)
    over_at = sunset.expires_at + GRACE
    match notice:
        case Notice.FIRST:
            return Span(sunset.began_at, month_before)
        case Notice.REMINDER:
            return Span(month_before, sunset.expires_at)
        case Notice.DRAFT:
            return Span(month_before, over_at)
        case Notice.WARNING:
            return Span(sunset.expires_at - WARNING, over_at)
        case Notice.EXPIRED:
            return Span(over_at, None)


def may_be_due(sunset: Sunset, now: datetime) -> tuple[Notice, ...]:
    """Return the steps whose time it is, in order, for a webhook that has taken none."""
    spans = ((notice, span_of(notice, sunset)) for notice in Notice)
    return tuple(notice for notice, span in spans if span.start <= now and (span.end is None or now < span.end))


def due(
    sunset: Sunset, taken: Collection[Notice], now: datetime, *, has_draft: bool = False, is_replaced: bool = False
) -> tuple[Notice, ...]:
    """Return the steps that are due for a webhook, in order.

    A step is never due again, nor after a later one was taken, whatever the clock says meanwhile.

    Args:
        sunset: Of the webhook's version.
        taken: The steps that are on record for the webhook and its version.
        now: Aware, UTC.
        has_draft: Whether there is a draft of it already.
        is_replaced: Whether its draft was published; then nothing is left but its end.
    """
    last = max((_ORDER[notice] for notice in taken), default=-1)
    steps = (notice for notice in may_be_due(sunset, now) if _ORDER[notice] > last)
    if is_replaced:
        return tuple(notice for notice in steps if notice is Notice.EXPIRED)
    return tuple(notice for notice in steps if not (notice is Notice.DRAFT and has_draft))
