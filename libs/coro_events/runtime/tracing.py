"""OpenTelemetry spans, when CORO_OTLP_ENDPOINT says where they go; otherwise nothing is made and nothing costs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()

AttributeValue = str | int | float | bool


class Span:
    """One piece of work under way.

    Attributes:
        traceparent: The W3C trace context to hand on, so that what follows belongs to this span.
    """

    def __init__(self, span: trace.Span, traceparent: str | None) -> None:
        self._span = span
        self.traceparent = traceparent

    def tell(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Add what became known during the work."""
        self._span.set_attributes(attributes)


class Tracing:
    """Makes spans and sends them in batches from a thread of its own; a collector that is away costs nothing else."""

    def __init__(self, *, service: str, endpoint: str) -> None:
        self._provider = TracerProvider(resource=Resource.create({"service.name": f"coro-{service}"}))
        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces", timeout=5)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("coro")

    @contextmanager
    def span(
        self, name: str, *, traceparent: str | None = None, attributes: Mapping[str, AttributeValue]
    ) -> Iterator[Span]:
        """Open a span for the block, as a child of the given trace context."""
        carrier = {"traceparent": traceparent} if traceparent is not None else {}
        parent = _PROPAGATOR.extract(carrier)
        with self._tracer.start_as_current_span(name, context=parent, attributes=attributes) as span:
            handed_on: dict[str, str] = {}
            _PROPAGATOR.inject(handed_on)
            yield Span(span, handed_on.get("traceparent"))

    def close(self) -> None:
        """Send what is left and stop."""
        self._provider.shutdown()
