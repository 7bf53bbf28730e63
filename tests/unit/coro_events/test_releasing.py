"""Which releases of webhook versions are sense, and when the version before then expires."""

from datetime import UTC, datetime, timedelta

import pytest

from coro_events.rules.releasing import Release, Unreleasable, VersionLife, VersionStatus, Why, decide_release

LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 8, 31, 12, 0, 0, 123456, tzinfo=UTC)
ONE = VersionLife(1, LONG_AGO, None)
TWO, THREE = VersionLife(2, None, None), VersionLife(3, None, None)


def decide(*lives: VersionLife, version: int = 2, at: datetime | None = None) -> Release | Unreleasable:
    return decide_release(lives, version, at=at, now=NOW)


def refusal(*lives: VersionLife, version: int = 2, at: datetime | None = None) -> tuple[Why, str]:
    decided = decide(*lives, version=version, at=at)
    assert isinstance(decided, Unreleasable)
    return decided.why, decided.sentence


def test_version_before_expires_six_calendar_months_later_when_the_next_is_released() -> None:
    released_at = NOW.replace(microsecond=123000)
    assert decide(ONE, TWO) == Release(2, released_at, 1, released_at.replace(year=2027, month=2, day=28), is_new=True)


def test_release_may_lie_ahead_or_a_day_back() -> None:
    for at in (NOW + timedelta(days=300), NOW - timedelta(hours=23)):
        decided = decide(ONE, TWO, at=at)
        assert isinstance(decided, Release)
        assert abs(decided.released_at - at) < timedelta(milliseconds=1)


def test_nothing_changes_when_the_same_release_is_asked_for_again() -> None:
    at = NOW - timedelta(days=200)
    expiring, released = VersionLife(1, LONG_AGO, NOW), VersionLife(2, at, None)
    for asked in (None, at):
        assert decide(expiring, released, at=asked) == Release(2, at, 1, NOW, is_new=False)


def test_planned_release_stays_as_it_is_when_it_is_asked_for_at_another_time() -> None:
    planned = VersionLife(2, NOW + timedelta(days=1), None)
    for at in (None, NOW):
        why, sentence = refusal(ONE, planned, at=at)
        assert why is Why.ORDER
        assert sentence == "version 2 is going to be released at 2026-09-01 12:00:00 UTC; that cannot be changed"


@pytest.mark.parametrize(
    ("lives", "version", "at", "why", "words"),
    [
        ((ONE, TWO), 7, None, Why.UNKNOWN, "there is no webhook version 7; there are 1, 2"),
        ((ONE, TWO), 2, NOW - timedelta(hours=25), Why.TIME, "more than a day in the past"),
        ((ONE, TWO), 2, NOW + timedelta(days=400), Why.TIME, "more than a year ahead"),
        ((ONE, TWO, THREE), 3, None, Why.ORDER, "version 3 comes after version 2; release that one first"),
        ((ONE, VersionLife(2, LONG_AGO, None)), 2, NOW, Why.ORDER, "version 2 was released at 2025-01-01 00:00:00 UTC"),
        (
            (ONE, VersionLife(2, NOW + timedelta(days=9), None), THREE),
            3,
            NOW,
            Why.TIME,
            "after the release of version 2, which is 2026-09-09",
        ),
    ],
)
def test_nonsense_is_refused_with_a_sentence(
    lives: tuple[VersionLife, ...], version: int, at: datetime | None, why: Why, words: str
) -> None:
    refused, sentence = refusal(*lives, version=version, at=at)
    assert refused is why
    assert words in sentence


def test_first_version_ends_nothing_when_it_is_released() -> None:
    decided = decide(VersionLife(1, None, None), version=1)
    assert isinstance(decided, Release)
    assert (decided.previous, decided.previous_expires_at) == (None, None)


@pytest.mark.parametrize(
    ("released_at", "expires_at", "status"),
    [
        (None, None, VersionStatus.UNRELEASED),
        (NOW + timedelta(seconds=1), None, VersionStatus.PLANNED),
        (NOW, None, VersionStatus.RELEASED),
        (LONG_AGO, NOW + timedelta(seconds=1), VersionStatus.RELEASED),
        (LONG_AGO, NOW, VersionStatus.EXPIRED),
    ],
)
def test_version_is_where_its_times_say(
    released_at: datetime | None, expires_at: datetime | None, status: VersionStatus
) -> None:
    assert VersionLife(1, released_at, expires_at).status(NOW) is status
