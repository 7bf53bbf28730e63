"""When a failed delivery is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.record.retry import MAX_ATTEMPTS, RetrySchedule

MINUTE = 60.0
WAITS = {1: 1 * MINUTE, 2: 8 * MINUTE, 3: 64 * MINUTE}
chances = st.floats(min_value=0, max_value=1, exclude_max=True)


def wait_s(attempt: int, *, chance: float = 0.5, retry_after_s: float | None = None) -> float:
    wait = RetrySchedule().next_wait_s(attempt, chance=chance, retry_after_s=retry_after_s)
    assert wait is not None
    return wait


@pytest.mark.parametrize(("attempt", "expected_s"), WAITS.items())
def test_wait_is_as_published_when_chance_is_in_the_middle(attempt: int, expected_s: float) -> None:
    assert wait_s(attempt) == pytest.approx(expected_s)


@given(attempt=st.sampled_from([1, 2, 3]), chance=chances)
def test_wait_stays_within_ten_per_cent(attempt: int, chance: float) -> None:
    assert 0.9 * WAITS[attempt] <= wait_s(attempt, chance=chance) <= 1.1 * WAITS[attempt]


def test_wait_uses_the_whole_spread() -> None:
    assert wait_s(1, chance=0.0) == pytest.approx(54)
    assert wait_s(1, chance=0.999999) == pytest.approx(66, rel=1e-4)
    assert wait_s(1, chance=0.2) < wait_s(1, chance=0.3)


@given(attempt=st.integers(min_value=MAX_ATTEMPTS, max_value=1_000), chance=chances, retry_after_s=st.none() | chances)
def test_nothing_comes_after_the_fourth_attempt(attempt: int, chance: float, retry_after_s: float | None) -> None:
    assert RetrySchedule().next_wait_s(attempt, chance=chance, retry_after_s=retry_after_s) is None


@given(attempt=st.sampled_from([1, 2, 3]), chance=chances, retry_after_s=st.floats(min_value=0, max_value=1e12))
def test_retry_after_stretches_a_wait_to_twice_its_length_at_most(
    attempt: int, chance: float, retry_after_s: float
) -> None:
    own_s = wait_s(attempt, chance=chance)
    asked_s = wait_s(attempt, chance=chance, retry_after_s=retry_after_s)
    assert own_s <= asked_s <= 2 * own_s
    if own_s <= retry_after_s <= 2 * own_s:
        assert asked_s == retry_after_s


@pytest.mark.parametrize(("retry_after_s", "expected_s"), [(0, 60), (59, 60), (90, 90), (120, 120), (86_400, 120)])
def test_retry_after_is_clamped(retry_after_s: float, expected_s: float) -> None:
    assert wait_s(1, retry_after_s=retry_after_s) == pytest.approx(expected_s)


@given(
    initial_s=st.floats(min_value=0.001, max_value=86_400), factor=st.floats(min_value=1, max_value=100), chance=chances
)
def test_waits_grow_by_the_factor_when_settings_say_so(initial_s: float, factor: float, chance: float) -> None:
    schedule = RetrySchedule(initial_s=initial_s, factor=factor)
    waits = [schedule.next_wait_s(attempt, chance=chance) for attempt in (1, 2, 3)]
    year_s = 365 * 86_400
    for wait, power in zip(waits, (0, 1, 2), strict=True):
        expected_s = min(initial_s * factor**power, year_s)
        assert wait == pytest.approx(expected_s, rel=0.100001)
