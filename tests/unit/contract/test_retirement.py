"""How a delivery tells that its version expires, in the forms of the two standards."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from hypothesis import given
from hypothesis import strategies as st

from coro_events.contract.retirement import retirement_headers

INSTANTS = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone below
    max_value=datetime(9999, 1, 1),  # noqa: DTZ001 - the same
    timezones=st.just(UTC),
)


def test_nothing_is_told_when_the_version_does_not_expire() -> None:
    assert retirement_headers(None, None) == {}
    assert retirement_headers(datetime(2026, 3, 1, tzinfo=UTC), None) == {}


def test_deprecation_is_a_structured_date_and_sunset_a_date_of_http() -> None:
    told = retirement_headers(datetime(2026, 3, 1, 9, 0, 0, 999, tzinfo=UTC), datetime(2026, 9, 1, 9, tzinfo=UTC))
    assert told == {"Deprecation": "@1772355600", "Sunset": "Tue, 01 Sep 2026 09:00:00 GMT"}


def test_sunset_stands_alone_when_nobody_knows_the_next_version() -> None:
    assert list(retirement_headers(None, datetime(2026, 9, 1, 9, tzinfo=UTC))) == ["Sunset"]


@given(deprecated_at=INSTANTS, expires_at=INSTANTS)
def test_both_are_read_back_to_the_second(deprecated_at: datetime, expires_at: datetime) -> None:
    told = retirement_headers(deprecated_at, expires_at)
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(told["Deprecation"][1:])) == deprecated_at.replace(
        microsecond=0
    )
    assert parsedate_to_datetime(told["Sunset"]) == expires_at.replace(microsecond=0)
