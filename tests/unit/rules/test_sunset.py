"""The life of a webhook version: dates by the calendar, and each step once, in order, whatever the clock does."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coro_events.rules.sunset import Notice, Sunset, add_months, due, expiry, may_be_due, span_of

RELEASE = datetime(2026, 3, 2, 10, tzinfo=UTC)
LIFE = Sunset(began_at=RELEASE, expires_at=expiry(RELEASE))
ORDER = list(Notice)

instants = some.floats(min_value=0, max_value=36_500).map(
    lambda days: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=days)
)
# Mostly around the life, so that every step has its turn; sometimes far away.
clocks = some.one_of(
    some.floats(min_value=-10, max_value=250).map(lambda days: RELEASE + timedelta(days=days)), instants
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "months", "then"),
    [
        ("2026-08-31 12:30", 6, "2027-02-28 12:30"),
        ("2027-08-31 12:30", 6, "2028-02-29 12:30"),
        ("2026-08-30", 6, "2027-02-28"),
        ("2026-03-31", 6, "2026-09-30"),
        ("2026-11-24", 6, "2027-05-24"),
        ("2026-07-01 23:59:59.999999", 6, "2027-01-01 23:59:59.999999"),
        ("2027-03-31", -1, "2027-02-28"),
        ("2028-03-31", -1, "2028-02-29"),
        ("2027-01-15", -1, "2026-12-15"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2028-02-29", 0, "2028-02-29"),
    ],
)
def test_months_end_on_their_last_day_when_the_day_does_not_exist(at: str, months: int, then: str) -> None:
    assert add_months(utc(at), months) == utc(then)


@given(at=instants, months=some.integers(min_value=-600, max_value=600))
def test_months_are_counted_by_the_calendar_and_the_time_of_day_stays(at: datetime, months: int) -> None:
    then = add_months(at, months)
    assert (then.year * 12 + then.month) - (at.year * 12 + at.month) == months
    assert then.day == min(at.day, monthrange(then.year, then.month)[1])
    assert then.timetz() == at.timetz()


@given(first=instants, second=instants)
def test_who_is_released_later_does_not_expire_earlier(first: datetime, second: datetime) -> None:
    earlier, later = sorted([first, second])
    assert expiry(earlier) <= expiry(later)


@pytest.mark.parametrize(
    ("now", "steps"),
    [
        ("2026-03-02 09:59", []),
        ("2026-03-02 10:00", [Notice.FIRST]),
        ("2026-08-02 09:59", [Notice.FIRST]),
        ("2026-08-02 10:00", [Notice.REMINDER, Notice.DRAFT]),
        ("2026-08-26 10:00", [Notice.REMINDER, Notice.DRAFT, Notice.WARNING]),
        ("2026-09-02 10:00", [Notice.DRAFT, Notice.WARNING]),
        ("2026-09-03 09:59", [Notice.DRAFT, Notice.WARNING]),
        ("2026-09-03 10:00", [Notice.EXPIRED]),
        ("2036-01-01 00:00", [Notice.EXPIRED]),
    ],
)
def test_what_became_due_is_due_in_order_without_what_is_overtaken_when_nothing_was_done_before(
    now: str, steps: list[Notice]
) -> None:
    assert list(due(LIFE, (), utc(now))) == steps


def test_a_webhook_that_has_a_draft_gets_no_other_and_still_its_reminder() -> None:
    assert due(LIFE, (), utc("2026-08-03"), has_draft=True) == (Notice.REMINDER,)


def test_nothing_but_its_end_is_left_when_a_webhook_was_replaced() -> None:
    assert due(LIFE, (), utc("2026-08-26 10:00"), is_replaced=True) == ()
    assert due(LIFE, (), utc("2026-09-04"), is_replaced=True) == (Notice.EXPIRED,)


def test_a_draft_that_could_not_be_made_is_due_until_the_warning() -> None:
    taken = {Notice.FIRST, Notice.REMINDER}
    assert due(LIFE, taken, utc("2026-08-10")) == (Notice.DRAFT,)
    assert due(LIFE, taken | {Notice.WARNING}, utc("2026-08-27")) == ()


@given(
    nows=some.lists(clocks, max_size=30),
    interrupted=some.lists(some.integers(min_value=0, max_value=5), min_size=30, max_size=30),
    release=instants,
)
def test_each_step_is_taken_once_and_none_out_of_order_whatever_clock_and_outages_do(
    nows: list[datetime], interrupted: list[int], release: datetime
) -> None:
    life = Sunset(began_at=release, expires_at=expiry(release))
    shift = release - RELEASE
    taken: list[Notice] = []
    for now, done_before_it_died in zip(nows, interrupted, strict=False):
        moment = now + shift if -timedelta(days=3650) < now - RELEASE < timedelta(days=3650) else now
        steps = due(life, frozenset(taken), moment)
        for step in steps:
            span = span_of(step, life)
            assert span.start <= moment, "nothing comes before its time"
            assert span.end is None or moment < span.end, "nothing comes when it is overtaken"
        taken += steps[:done_before_it_died]
    assert taken == sorted(set(taken), key=ORDER.index)


@given(nows=some.lists(clocks, max_size=20), release=instants)
def test_a_webhook_has_expired_in_the_end_whatever_happened_before(nows: list[datetime], release: datetime) -> None:
    life = Sunset(began_at=release, expires_at=expiry(release))
    taken: set[Notice] = set()
    for now in [*nows, datetime(2101, 1, 1, tzinfo=UTC)]:
        taken.update(due(life, taken, now))
    assert Notice.EXPIRED in taken


@given(now=clocks)
def test_what_is_due_for_a_fresh_webhook_is_what_may_be_due_at_all(now: datetime) -> None:
    assert due(LIFE, (), now) == may_be_due(LIFE, now)


@given(now=clocks, taken=some.sets(some.sampled_from(ORDER)))
def test_taking_what_is_due_leaves_nothing_due_at_that_time(now: datetime, taken: set[Notice]) -> None:
    assert due(LIFE, taken | set(due(LIFE, taken, now)), now) == ()
