"""Bytes to events: nothing that is read stops the batch."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coro_events.contract.cloudevents import STRUCTURED_HEADERS
from coro_events.contract.codec import encode
from coro_events.contract.topics import WEBHOOKS
from coro_events.contract.triggers import Trigger
from coro_events.contract.webhook_events import (
    SOURCE_API,
    TestRequested,
    WebhookChanged,
    WebhookEvent,
    WebhookEventData,
    WebhookEventType,
    encode_webhook_event,
)
from services.dispatcher.intake.batch import Batch, Decoded, Record, Span, TestRequest
from services.dispatcher.intake.decode import decode_batch
from tests.support.clock import START
from tests.support.dispatching import RawRecord, record_of
from tests.support.makers import make_event

WEBHOOK_ID, TEST_ID = uuid.uuid4(), uuid.uuid4()


def decode(*records: Record) -> Decoded:
    return decode_batch(Batch(records=records, spans=[Span("coro.events", 0, 0, len(records))]))


def webhook_record(kind: WebhookEventType, data: WebhookEventData, workspace_id: str | None = "acme") -> RawRecord:
    event = WebhookEvent(uuid.uuid4(), SOURCE_API, kind, workspace_id, START, data)
    return RawRecord(encode_webhook_event(event), list(STRUCTURED_HEADERS), topic=WEBHOOKS)


def request_record() -> RawRecord:
    data = TestRequested(webhook_id=str(WEBHOOK_ID), test_id=str(TEST_ID))
    return webhook_record(WebhookEventType.TEST_REQUESTED, data)


def binary_of(**changes: Any) -> RawRecord:
    event = make_event(**changes)
    attributes = {
        "specversion": "1.0",
        "id": event.source_id,
        "source": event.source,
        "type": event.trigger.value,
        "subject": event.workspace_id,
    }
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    return RawRecord(event.data, [*headers, ("content-type", b"application/json")])


def test_structured_record_becomes_its_event() -> None:
    event = make_event()
    decoded = decode(record_of(event))
    assert decoded.events == {event.id: event}
    assert decoded.rejections == []
    assert list(decoded.spans) == [Span("coro.events", 0, 0, 1)]


def test_binary_record_becomes_its_event_with_the_brokers_time_when_it_has_none() -> None:
    decoded = decode(binary_of(source_id="b-1"))
    (event,) = decoded.events.values()
    assert event == make_event(source_id="b-1")
    assert event.occurred_at == START


def test_time_is_the_epoch_when_the_broker_has_none_either() -> None:
    record = binary_of()
    (event,) = decode(RawRecord(record.value, record.headers, timestamp=-1)).events.values()
    assert event.occurred_at == datetime(1970, 1, 1, tzinfo=UTC)


def test_repeat_counts_once_and_the_first_copy_stays() -> None:
    first = make_event(source_id="1")
    repeat = make_event(source_id="1", occurred_at=datetime(2026, 3, 1, tzinfo=UTC))
    decoded = decode(record_of(first), record_of(repeat))
    assert decoded.events == {first.id: first}
    assert len(decoded.workspaces) == 1


def test_workspaces_are_told_in_the_order_of_their_events() -> None:
    other = make_event(
        trigger=Trigger.WORKSPACE_STATUS_UPDATED, workspace_id="old", data=b'{"status":"trial"}', source_id="x"
    )
    decoded = decode(*(record_of(make_event(workspace_id=name)) for name in ("b", "a")), record_of(other))
    assert [workspace.id for workspace in decoded.workspaces] == ["b", "a"]
    assert len(decoded.events) == 3


def test_test_request_is_taken_from_the_topic_of_webhooks() -> None:
    decoded = decode(request_record())
    assert decoded.tests == [TestRequest(WEBHOOK_ID, TEST_ID, "acme", START)]
    assert decoded.disabled_webhooks == decoded.gone_webhooks == set()
    assert decoded.events == {}


ENDS = {WebhookEventType.DELETED, WebhookEventType.EXPIRED}
CHANGES = sorted({"CREATED", "UPDATED", "ENABLED", "DISABLED", "DELETED", "EXPIRED"})


@pytest.mark.parametrize("kind", [WebhookEventType[name] for name in CHANGES])
def test_stopped_webhook_is_noticed(kind: WebhookEventType) -> None:
    decoded = decode(webhook_record(kind, WebhookChanged(webhook_id=str(WEBHOOK_ID))))
    assert decoded.disabled_webhooks == ({WEBHOOK_ID} if kind is WebhookEventType.DISABLED else set())
    assert decoded.gone_webhooks == ({WEBHOOK_ID} if kind in ENDS else set())
    assert decoded.rejections == []


def test_topic_of_webhooks_is_recognised_when_it_has_a_prefix() -> None:
    record = request_record()
    moved = RawRecord(record.value, record.headers, topic="test.coro.webhooks")
    decoded = decode_batch(Batch(records=[moved], spans=[]), webhooks_topic="test.coro.webhooks")
    assert len(decoded.tests) == 1


def structured(**changes: object) -> bytes:
    whole = json.loads(encode(make_event())[1])
    whole.update(changes)
    return json.dumps(whole).encode()


POISON = {
    "nothing": None,
    "empty": b"",
    "no JSON": b"{",
    "no UTF-8": b"\xff\xfe\x00",
    "a list": b"[]",
    "a number": b"1",
    "deep": b"[" * 100_000,
    "deep data": b'{"specversion":"1.0","data":' + b'{"a":' * 50_000,
    "huge number": b'{"a":' + b"9" * 100_000 + b"}",
    "unknown type": structured(type="workspace-exploded"),
    "type is a list": structured(type=["workspace-created"]),
    "no subject": structured(subject=None),
    "subject with NUL": structured(subject="a\x00b"),
    "lone surrogate": structured(id="\ud800"),
    "no time at all": structured(time="yesterday"),
    "time before time": structured(time="0001-01-01T00:00:00+23:59"),
    "other version": structured(specversion="0.3"),
    "wrong data": structured(data={"id": 5}),
    "data of another workspace": structured(data={"id": "other"}),
    "too long": b" " * 1_048_577,
}


@pytest.mark.parametrize("value", POISON.values(), ids=POISON.keys())
@pytest.mark.parametrize("topic", ["coro.events", WEBHOOKS])
def test_unreadable_record_is_rejected_with_a_reason_and_the_batch_goes_on(value: bytes | None, topic: str) -> None:
    before, after = make_event(), make_event()
    poison = RawRecord(value, list(STRUCTURED_HEADERS), topic=topic)
    decoded = decode(record_of(before), poison, record_of(after), request_record())
    assert list(decoded.events) == [before.id, after.id]
    assert len(decoded.tests) == 1
    (rejection,) = decoded.rejections
    assert rejection.record is poison
    assert 0 < len(rejection.reason) < 500


headers = st.lists(
    st.tuples(
        st.sampled_from(["content-type", "ce_type", "ce_specversion", "ce_id", "ce_source", "ce_subject", "x"]),
        st.binary(max_size=30) | st.sampled_from([b"1.0", b"workspace-created", b"application/json"]),
    ),
    max_size=8,
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(value=st.none() | st.binary(max_size=100) | documents.map(lambda one: json.dumps(one).encode()), headers=headers)
def test_any_bytes_are_an_event_or_a_rejection(value: bytes | None, headers: list[tuple[str, bytes]]) -> None:
    good = make_event()
    decoded = decode(RawRecord(value, headers), RawRecord(value, headers, topic=WEBHOOKS), record_of(good))
    assert good.id in decoded.events
    assert len(decoded.events) + len(decoded.rejections) >= 2


@given(changes=st.dictionaries(st.sampled_from(["id", "source", "subject", "type", "time", "data"]), documents))
def test_a_record_with_any_attribute_spoilt_is_an_event_or_a_rejection(changes: dict[str, object]) -> None:
    decoded = decode(RawRecord(structured(**changes), list(STRUCTURED_HEADERS)))
    assert len(decoded.events) + len(decoded.rejections) == 1
    for event in decoded.events.values():
        event.data.decode()
