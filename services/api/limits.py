"""How often something may be done: token buckets in memory, so each process counts for itself."""

from collections import OrderedDict

from coro_events.runtime.clock import Clock

# The least recently used beyond that are forgotten, which is the same as full.
MOST_KEYS = 20_000


class Buckets:
    """One bucket of permits a key: it holds `burst` and fills by `rate_per_s`."""

    def __init__(self, *, rate_per_s: float, burst: float, clock: Clock, most_keys: int = MOST_KEYS) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._clock = clock
        self._most_keys = most_keys
        # Permits left, and when that was, on the monotonic clock.
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """Return how long until there is a permit, in seconds; 0 where there is one. Takes none."""
        return max(0.0, 1.0 - self._left(key)) / self._rate_per_s

    def take(self, key: str) -> float:
        """Take a permit and return 0, or return how long until there is one, in seconds."""
        wait_s = self.wait_s(key)
        if wait_s == 0:
            self._buckets[key] = (self._left(key) - 1, self._clock.monotonic())
            self._buckets.move_to_end(key)
            if len(self._buckets) > self._most_keys:
                self._buckets.popitem(last=False)
        return wait_s

    def _left(self, key: str) -> float:
        left, at_s = self._buckets.get(key, (self._burst, self._clock.monotonic()))
        filled = left + (self._clock.monotonic() - at_s) * self._rate_per_s
        return min(self._burst, filled)
