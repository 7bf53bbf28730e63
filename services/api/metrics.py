"""The metrics of the config service."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """Everything that this process counts, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.requests = Histogram(
            "coro_api_request_duration_seconds",
            "How long requests took, in seconds.",
            ("route", "method", "status"),
            registry=registry,
        )
        self.published = Counter(
            "coro_api_outbox_published", "Messages of the outbox that Kafka has acknowledged.", registry=registry
        )
        self.relay_leads = Gauge(
            "coro_api_outbox_relay_leads", "1 where this replica's relay is the one at work.", registry=registry
        )
        self.outbox_length = Gauge(
            "coro_api_outbox_messages",
            "Messages that the relay last found waiting, up to 100,000.",
            registry=registry,
        )
        self.outbox_age = Gauge(
            "coro_api_outbox_oldest_age_seconds",
            "Age of the oldest message that the relay last found waiting, in seconds.",
            registry=registry,
        )
