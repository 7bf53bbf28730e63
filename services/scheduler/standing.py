"""What operators may know of a scheduler: who leads, when each chore last succeeded, which ones keep failing."""

from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge


class Standing:
    """Counts what chores did, in metrics and for /healthz."""

    def __init__(self, registry: CollectorRegistry, *, patience: int) -> None:
        """Register the metrics.

        Args:
            registry: Where they are read from.
            patience: After how many failures in a row a chore makes the process unhealthy.
        """
        self._patience = patience
        self._failures: dict[str, tuple[int, str]] = {}
        self._leader = Gauge("coro_scheduler_leader", "1 where this process is the one at work.", registry=registry)
        self._last_success = Gauge(
            "coro_scheduler_chore_last_success_timestamp_seconds",
            "When the chore last succeeded in this process, in seconds since 1970.",
            ("chore",),
            registry=registry,
        )
        self._duration = Gauge(
            "coro_scheduler_chore_last_duration_seconds",
            "How long the chore took when it last ran in this process, in seconds.",
            ("chore",),
            registry=registry,
        )
        self._failed = Counter(
            "coro_scheduler_chore_failures", "Runs of the chore that failed.", ("chore",), registry=registry
        )

    def leads(self, leading: bool) -> None:  # noqa: FBT001 - the whole message is the one answer
        """Note whether this process is the one at work; failures of an earlier term are forgotten."""
        self._leader.set(leading)
        self._failures.clear()

    def succeeded(self, chore: str, *, at: datetime, duration_s: float) -> None:
        """Note a run that ended well."""
        self._failures.pop(chore, None)
        self._last_success.labels(chore).set(at.timestamp())
        self._duration.labels(chore).set(duration_s)

    def failed(self, chore: str, *, error: str, duration_s: float) -> None:
        """Note a run that failed."""
        times, _ = self._failures.get(chore, (0, ""))
        self._failures[chore] = (times + 1, error)
        self._failed.labels(chore).inc()
        self._duration.labels(chore).set(duration_s)

    def problems(self) -> Mapping[str, str]:
        """Return the chores that keep failing, and how."""
        return {
            chore: f"failed {times} times in a row, last with {error}"
            for chore, (times, error) in self._failures.items()
            if times >= self._patience
        }
