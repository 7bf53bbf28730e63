"""Makers of what travels inside the dispatcher: records, deliveries, attempts and their effects."""

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from coro_events.contract.codec import encode
from coro_events.contract.envelope import Event
from coro_events.rules.deliveries import DeliveryKind
from services.dispatcher.deliver.outcome import Answer, Outcome
from services.dispatcher.intake.batch import Decoded, Span
from services.dispatcher.match.delivery import Delivery, Happening, Target
from services.dispatcher.match.plan import Room
from services.dispatcher.record.effects import Attempt, Effect, decide
from services.dispatcher.record.retry import RetrySchedule
from tests.support.clock import START

SECRET = "0123456789abcdef0123456789abcdef"
MIDDLE = 0.5
NEVER = float("inf")


@dataclass(frozen=True)
class RawRecord:
    """A Kafka record as it is read."""

    value: bytes | None = None
    headers: list[tuple[str, bytes]] = field(default_factory=list)
    key: bytes | None = b"acme"
    topic: str = "coro.events"
    partition: int = 0
    offset: int = 0
    timestamp: int = int(START.timestamp() * 1000)


def record_of(event: Event, **changes: Any) -> RawRecord:
    """Return the record that carries an event."""
    key, value, headers = encode(event)
    return RawRecord(**{"value": value, "headers": headers, "key": key} | changes)


def decoded_of(*events: Event, spans: tuple[Span, ...] = (), **changes: Any) -> Decoded:
    """Return a batch of these events, read."""
    return Decoded(**{"spans": spans, "events": {event.id: event for event in events}} | changes)


def at_most(count: int) -> Room:
    """Return lanes that take so many deliveries of each webhook."""
    return lambda wanted: dict.fromkeys(wanted, count)


def make_target(**changes: Any) -> Target:
    """Make a webhook's configuration."""
    values: dict[str, Any] = {
        "webhook_id": uuid.uuid4(),
        "workspace_id": "acme",
        "version": 1,
        "url": "http://127.0.0.1:9/hook",
        "secret": SECRET.encode(),
        "headers": {},
    } | changes
    return Target(**values)


def make_happening(**changes: Any) -> Happening:
    """Make what a body is made of."""
    values: dict[str, Any] = {
        "event_id": uuid.uuid4(),
        "type": "workspace-created",
        "workspace_id": "acme",
        "occurred_at": START,
        "data": b'{"id":"acme"}',
        "traceparent": None,
    } | changes
    return Happening(**values)


def make_delivery(target: Target | None = None, **changes: Any) -> Delivery:
    """Make a claimed delivery whose lease never ends, by default to a webhook of its own."""
    values: dict[str, Any] = {
        "day": date(2026, 3, 2),
        "hook_id": uuid.uuid4(),
        "kind": DeliveryKind.EVENT,
        "target": target or make_target(),
        "happening": make_happening(),
        "attempts": 0,
        "claim": uuid.uuid4(),
        "leased_until": NEVER,
    } | changes
    return Delivery(**values)


def make_attempt(
    delivery: Delivery | None = None, answer: Answer | None = None, *, started_at: datetime = START
) -> Attempt:
    """Make the next attempt of a delivery, by default one that was answered with 200."""
    delivery = delivery or make_delivery()
    return Attempt(
        delivery=delivery,
        number=delivery.attempts + 1,
        started_at=started_at,
        duration_ms=12,
        answer=answer or Answer(Outcome.DELIVERED, status=200),
    )


def make_effect(delivery: Delivery, outcome: Outcome = Outcome.DELIVERED, **answer: Any) -> Effect:
    """Decide what the next attempt of a delivery does, with the default schedule and no jitter."""
    return decide(make_attempt(delivery, Answer(outcome, **answer)), RetrySchedule(), MIDDLE)
