"""What operators may know of mail, as metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class MailMeasures:
    """Counts what became of mails."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metrics."""
        self.outcomes = Counter(
            "coro_scheduler_mails",
            "Mails handed to the mail server, by its answer; one to each recipient.",
            ("outcome",),
            registry=registry,
        )
        self.waiting = Gauge(
            "coro_scheduler_mails_waiting", "Mails that wait to be sent, one to each recipient.", registry=registry
        )
        self.oldest_age_s = Gauge(
            "coro_scheduler_mails_oldest_age_seconds", "Age of the oldest mail that waits.", registry=registry
        )
