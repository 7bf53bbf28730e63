"""Exact times and durations, where it matters which came first."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_MS = 1_000
_MINUTE_MS = 60_000
_HOUR_MS = 3_600_000


def at_of(milliseconds: int) -> datetime:
    """Return the time that the API writes as milliseconds."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def second(milliseconds: int) -> str:
    """Return a time as `24 Nov, 14:32:07`."""
    at = at_of(milliseconds)
    return f"{at.day} {at:%b, %H:%M:%S}"


def minute(milliseconds: int) -> str:
    """Return a time as `24 Nov, 14:32`."""
    at = at_of(milliseconds)
    return f"{at.day} {at:%b, %H:%M}"


def iso(milliseconds: int) -> str:
    """Return a time as programs read it."""
    return at_of(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def span_of(milliseconds: int) -> str:
    """Return a duration as `312 ms`, `4.1 s`, `8 min 3 s` or `1 h 12 min`."""
    if milliseconds < _SECOND_MS:
        return f"{milliseconds} ms"
    if milliseconds < _MINUTE_MS:
        return f"{milliseconds / _SECOND_MS:.1f} s"
    if milliseconds < _HOUR_MS:
        minutes, rest = divmod(milliseconds // _SECOND_MS, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(milliseconds // _MINUTE_MS, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
