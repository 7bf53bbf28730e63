"""What happens to webhooks, written and read."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from coro_events.contract.cloudevents import STRUCTURED_HEADERS
from coro_events.contract.webhook_events import (
    SOURCE_API,
    WEBHOOK_EVENT_MODELS,
    TestRequested,
    WebhookEvent,
    WebhookEventType,
    decode_webhook_event,
    encode_webhook_event,
)
from coro_events.errors import InvalidEvent, UndecodableRecord


def make_webhook_event(event_type: WebhookEventType = WebhookEventType.TEST_REQUESTED) -> WebhookEvent:
    return WebhookEvent(
        id=uuid.UUID("3f6d4e0a-0000-4000-8000-000000000001"),
        source=SOURCE_API,
        type=event_type,
        workspace_id=None if event_type is WebhookEventType.VERSION_RELEASED else "exampletradecom_7K2P_b",
        occurred_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
        data=WEBHOOK_EVENT_MODELS[event_type].example(),
    )


def changed(**changes: object) -> bytes:
    whole = {**json.loads(encode_webhook_event(make_webhook_event())), **changes}
    return json.dumps({name: value for name, value in whole.items() if value is not None}).encode()


@pytest.mark.parametrize("event_type", WebhookEventType)
def test_it_survives_when_written_and_read(event_type: WebhookEventType) -> None:
    event = make_webhook_event(event_type)
    assert decode_webhook_event(encode_webhook_event(event), STRUCTURED_HEADERS) == event


def test_a_test_request_names_webhook_and_test() -> None:
    read = decode_webhook_event(changed(), STRUCTURED_HEADERS)
    assert isinstance(read.data, TestRequested)
    assert read.data.test_id == TestRequested.example().test_id


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type": "webhook-renamed"}, "type: must be one of"),
        ({"type": "workspace-created"}, "type: must be one of"),
        ({"id": "7"}, "id: must be a uuid"),
        ({"subject": None}, "subject: is required"),
        ({"source": None}, "source: is required"),
        ({"time": None}, "time: must be"),
    ],
)
def test_a_record_is_undecodable_when_its_envelope_breaks_a_rule(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(UndecodableRecord, match=reason):
        decode_webhook_event(changed(**changes), STRUCTURED_HEADERS)


def test_it_is_invalid_when_its_data_breaks_the_schema() -> None:
    with pytest.raises(InvalidEvent, match=r"data\.testId: Field required"):
        decode_webhook_event(changed(data={"webhookId": str(uuid.uuid4())}), STRUCTURED_HEADERS)


def test_writing_is_refused_when_the_data_is_of_another_type() -> None:
    with pytest.raises(InvalidEvent, match="data: must be TestRequested"):
        encode_webhook_event(
            replace(make_webhook_event(), data=WEBHOOK_EVENT_MODELS[WebhookEventType.CREATED].example())
        )


def test_writing_is_refused_when_the_time_has_no_zone() -> None:
    naive = datetime(2026, 3, 1, 9, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(InvalidEvent, match="time: must be aware"):
        encode_webhook_event(replace(make_webhook_event(), occurred_at=naive))
