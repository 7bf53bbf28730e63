"""When a failed delivery is tried again: a pure function of the attempt's number, the answer and chance.

Four attempts in all. With the defaults (initial 60 s, factor 8, ±10 %):

| after attempt | next in   | between           |
|---------------|-----------|-------------------|
| 1             | 1 min     | 54 s and 66 s     |
| 2             | 8 min     | 7.2 and 8.8 min   |
| 3             | 64 min    | 57.6 and 70.4 min |
| 4             | given up  |                   |
"""

from dataclasses import dataclass

from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_exponential

MAX_ATTEMPTS = 4

# The spread around each wait, so that a receiver that comes back is not met by everything at once.
JITTER = 0.1

# `Retry-After` may stretch a wait to this many times its length and never shortens it.
LONGEST_STRETCH = 2.0


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """The waits between the attempts of a delivery.

    Attributes:
        initial_s: Wait before the second attempt, in seconds.
        factor: By how much each further wait is longer.
    """

    initial_s: float = 60.0
    factor: float = 8.0

    def next_wait_s(self, attempt: int, *, chance: float, retry_after_s: float | None = None) -> float | None:
        """Return how long to wait after a failed attempt, in seconds; none when it was the last.

        Args:
            attempt: The number of the attempt that failed, from 1.
            chance: A random number in [0, 1), which places the wait within its spread.
            retry_after_s: What the receiver asked for, where it may ask.
        """
        state = RetryCallState(_NO_CALL, None, (), {})
        state.attempt_number = attempt
        if stop_after_attempt(MAX_ATTEMPTS)(state):
            return None
        # The longest wait is a year: beyond it a factor or an initial wait is a mistake.
        wait_s = wait_exponential(multiplier=self.initial_s, exp_base=self.factor, max=365 * 86_400)(state)
        wait_s *= 1 + JITTER * (2 * chance - 1)
        if retry_after_s is None:
            return wait_s
        return min(max(wait_s, retry_after_s), LONGEST_STRETCH * wait_s)


_NO_CALL = Retrying()
