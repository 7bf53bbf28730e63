"""Whether a webhook version may be released at a time, and when the one before it then expires: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from coro_events.rules.sunset import expiry

# A release may be written down after the fact, but not so late that notices would already be overdue.
MOST_BACK = timedelta(days=1)
# A plan beyond that is most likely a slip of the pen, and nothing takes a release back.
MOST_AHEAD = timedelta(days=366)


class VersionStatus(StrEnum):
    """Where a version is in its life."""

    # Shipped, and not released.
    UNRELEASED = "unreleased"
    # Its release is ahead.
    PLANNED = "planned"
    # Webhooks may be made of it.
    RELEASED = "released"
    # Its life has ended.
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class VersionLife:
    """When a webhook version is released and when it expires.

    Attributes:
        released_at: None while nobody has released it; in the future where its release is planned.
        expires_at: None while the next version is not released.
    """

    version: int
    released_at: datetime | None
    expires_at: datetime | None

    def status(self, now: datetime) -> VersionStatus:
        """Return where it is in its life; the webhooks of an expired version deliver for another day."""
        if self.released_at is None:
            return VersionStatus.UNRELEASED
        if self.released_at > now:
            return VersionStatus.PLANNED
        if self.expires_at is not None and self.expires_at <= now:
            return VersionStatus.EXPIRED
        return VersionStatus.RELEASED


class Why(StrEnum):
    """What kind of nonsense a release would be."""

    # There is no such version.
    UNKNOWN = "unknown"
    # The time is out of bounds.
    TIME = "time"
    # It is released already, or an earlier one is not.
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Unreleasable:
    """Why a version is not released, in a sentence without its full stop."""

    why: Why
    sentence: str


@dataclass(frozen=True, slots=True)
class Release:
    """What a release makes of a version and of the one before.

    Attributes:
        previous: The version before; none where there is none.
        previous_expires_at: When that one expires.
        is_new: Whether anything changes; the same release may be asked for again.
    """

    version: int
    released_at: datetime
    previous: int | None
    previous_expires_at: datetime | None
    is_new: bool


def decide_release(
    lives: Sequence[VersionLife], version: int, *, at: datetime | None, now: datetime
) -> Release | Unreleasable:
    """Return what it means to release a version.

    Args:
        lives: Of all versions.
        version: The one to release.
        at: From when on it counts as released; none means now, or whenever it was released before.
        now: The present.
    """
    known = {life.version: life for life in lives}
    life = known.get(version)
    if life is None:
        return Unreleasable(Why.UNKNOWN, f"there is no webhook version {version}; there are {_listed(known)}")
    # Milliseconds, as times travel: whoever reads it and asks again names the same time.
    asked = _in_milliseconds((now if at is None else at).astimezone(UTC))
    before = known.get(version - 1)
    if life.released_at is not None:
        return _again(life, before, None if at is None else asked, now)
    if unfit := _fault(version, before, asked, now):
        return unfit
    expires_at = None if before is None else expiry(asked)
    return Release(version, asked, None if before is None else before.version, expires_at, is_new=True)


def _again(
    life: VersionLife, before: VersionLife | None, asked: datetime | None, now: datetime
) -> Release | Unreleasable:
    """Return what it means to release what has its time already: nothing, or nonsense."""
    released_at = life.released_at or now
    is_same = released_at <= now if asked is None else asked == _in_milliseconds(released_at)
    if not is_same:
        tense = "was released" if released_at <= now else "is going to be released"
        return Unreleasable(Why.ORDER, f"version {life.version} {tense} at {told(released_at)}; that cannot be changed")
    previous = None if before is None else before.version
    return Release(life.version, released_at, previous, before.expires_at if before else None, is_new=False)


def _fault(version: int, before: VersionLife | None, at: datetime, now: datetime) -> Unreleasable | None:
    if at < now - MOST_BACK:
        return Unreleasable(Why.TIME, "must not lie more than a day in the past")
    if at > now + MOST_AHEAD:
        return Unreleasable(Why.TIME, "must not lie more than a year ahead")
    if before is None:
        return None
    if before.released_at is None:
        return Unreleasable(
            Why.ORDER, f"version {version} comes after version {before.version}; release that one first"
        )
    if at <= before.released_at:
        since = told(before.released_at)
        return Unreleasable(Why.TIME, f"must be after the release of version {before.version}, which is {since}")
    return None


def _in_milliseconds(instant: datetime) -> datetime:
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def _listed(versions: dict[int, VersionLife]) -> str:
    return ", ".join(str(version) for version in sorted(versions))


def told(instant: datetime) -> str:
    """Return a time for people."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
