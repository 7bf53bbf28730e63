"""The headers of a delivery whose webhook version is going to expire."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

# Also the words for people, in the OpenAPI document and in docs/wire.md.
DEPRECATION = "Deprecation"
SUNSET = "Sunset"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def retirement_headers(deprecated_at: datetime | None, expires_at: datetime | None) -> dict[str, str]:
    """Return `Deprecation` (RFC 9745, seconds since 1970) and `Sunset` (RFC 8594, an HTTP date), where they apply.

    Args:
        deprecated_at: When the next version was released; aware, UTC.
        expires_at: When the version expires; aware, UTC. A version that does not expire has neither header.
    """
    if expires_at is None:
        return {}
    sunset = {SUNSET: format_datetime(expires_at, usegmt=True)}
    if deprecated_at is None:
        return sunset
    # Whole numbers all the way: a float would round the end of a second up.
    return {DEPRECATION: f"@{(deprecated_at - _EPOCH) // timedelta(seconds=1)}", **sunset}
