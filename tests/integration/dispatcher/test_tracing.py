"""Spans, when configured: from the event's trace context over our attempt to the receiver, and to a collector."""

import signal
from collections.abc import AsyncIterator

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from coro_events.runtime.clock import SystemClock
from tests.integration.dispatcher.room import count_updated
from tests.integration.dispatcher.stand import Stand, standing
from tests.support import kafka, postgres
from tests.support.waiting import wait_until

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"


@pytest.fixture(scope="module")
async def stand(database_admin_url: str, _template_database: str, kafka_bootstrap: str) -> AsyncIterator[Stand]:
    name, topics = postgres.new_name("tracing"), kafka.new_topics()
    url = await postgres.create_database(database_admin_url, name, template=_template_database)
    await kafka.create_topics(kafka_bootstrap, topics.all(), partitions=3)
    async with standing(url, kafka_bootstrap, topics) as stand:
        yield stand
    await kafka.delete_topics(kafka_bootstrap, topics.all())
    await postgres.drop_database(database_admin_url, name)


def spans_of(stand: Stand) -> dict[str, Span]:
    """Return the spans that came to the collector, by name."""
    found: dict[str, Span] = {}
    for request in stand.receiver.of("/v1/traces"):
        exported = ExportTraceServiceRequest.FromString(request.body)
        for resource in exported.resource_spans:
            for scope in resource.scope_spans:
                found |= {span.name: span for span in scope.spans}
    return found


async def test_attempt_is_a_span_between_the_event_and_the_receiver(stand: Stand) -> None:
    await stand.webhook("/ok/traced", "traced")
    stand.receiver.answers["/v1/traces"] = "/ok"
    event = count_updated("traced", occurred_at=SystemClock().now(), traceparent=TRACEPARENT)
    with stand.dispatcher(otlp_endpoint=stand.receiver.url("")) as process:
        await stand.emit(event)
        (request,) = await stand.receiver.until(1, prefix="/ok/traced")
        process.signal(signal.SIGTERM)
        assert await process.ended() == 0
    await wait_until(lambda: "delivery.attempt" in spans_of(stand), what="the span of the attempt")
    attempt = spans_of(stand)["delivery.attempt"]
    told = {one.key: one.value.string_value for one in attempt.attributes}
    assert attempt.trace_id.hex() == TRACE_ID
    assert attempt.parent_span_id.hex() == "00f067aa0ba902b7"
    assert request.headers["traceparent"] == f"00-{TRACE_ID}-{attempt.span_id.hex()}-01"
    assert (told["coro.hook_id"], told["coro.outcome"]) == (request.hook_id, "delivered")
    assert "batch.plan" in spans_of(stand)


async def test_trace_context_goes_through_unchanged_when_no_collector_is_named(stand: Stand) -> None:
    await stand.webhook("/ok/passed", "passed")
    with stand.dispatcher():
        await stand.emit(count_updated("passed", occurred_at=SystemClock().now(), traceparent=TRACEPARENT))
        (request,) = await stand.receiver.until(1, prefix="/ok/passed")
    assert request.headers["traceparent"] == TRACEPARENT
