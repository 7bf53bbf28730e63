"""How long a mail that was not taken waits."""

from itertools import accumulate, takewhile

from services.scheduler.mail.patience import MAX_ATTEMPTS, next_wait_s


def test_waits_double_from_a_minute_to_four_hours_and_end_after_four_days() -> None:
    waits = list(takewhile(lambda wait_s: wait_s is not None, map(next_wait_s, range(1, MAX_ATTEMPTS + 1))))
    minutes = [wait_s / 60 for wait_s in waits if wait_s is not None]
    assert minutes[:10] == [1, 2, 4, 8, 16, 32, 64, 128, 240, 240]
    assert len(minutes) == MAX_ATTEMPTS - 1
    assert 3.5 < list(accumulate(minutes))[-1] / 60 / 24 < 4.5
    assert next_wait_s(MAX_ATTEMPTS) is None
