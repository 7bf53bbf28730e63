"""Which days have partitions."""

from datetime import date, timedelta

import pytest

from services.scheduler.chores.partitions import span

TODAY = date(2026, 3, 2)


def test_days_reach_from_last_week_into_the_week_after_next() -> None:
    days = span(TODAY, retention_days=30)
    assert days.first == date(2026, 2, 23)
    assert days.last == date(2026, 3, 16)


def test_a_day_goes_when_the_retention_time_is_over() -> None:
    assert span(TODAY, retention_days=30).drop_before == date(2026, 1, 31)


@pytest.mark.parametrize("retention_days", [1, 7, 8, 30, 3650])
def test_no_day_goes_on_which_an_event_may_still_be_filed(retention_days: int) -> None:
    days = span(TODAY, retention_days=retention_days)
    assert days.drop_before < days.first
    assert days.drop_before <= TODAY - timedelta(days=retention_days)
