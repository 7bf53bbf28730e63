"""Records as services write them, in both modes."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from coro_events.contract.codec import decode
from coro_events.contract.data import DATA_MODELS
from coro_events.contract.envelope import Event
from coro_events.contract.triggers import Trigger

RECEIVED_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
OCCURRED_AT = datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC)
WORKSPACE = "exampletradecom_7K2P_b"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
STRUCTURED = [("content-type", b"application/cloudevents+json; charset=UTF-8")]

COUNT = Trigger.PROTECTED_USERS_COUNT_UPDATED


def example_of(trigger: Trigger) -> dict[str, Any]:
    """Return the example of a trigger's data, as it is on the wire."""
    return DATA_MODELS[trigger].example().model_dump(mode="json", by_alias=True)


def record(trigger: Trigger = COUNT, **changes: object) -> dict[str, object]:
    """Return a structured record; a change to None takes the attribute away."""
    whole: dict[str, object] = {
        "specversion": "1.0",
        "id": "billing-1",
        "source": "example/billing",
        "type": trigger.value,
        "subject": WORKSPACE,
        "time": "2026-03-01T09:00:00.123456Z",
        "datacontenttype": "application/json",
        "data": example_of(trigger),
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def as_bytes(document: object) -> bytes:
    """Return plain JSON."""
    return json.dumps(document).encode()


def decode_structured(document: object) -> Event:
    """Decode a structured record."""
    return decode(as_bytes(document), STRUCTURED, RECEIVED_AT)


def binary(whole: Mapping[str, object]) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Return value and headers of the same record in binary mode."""
    attributes = {name: value for name, value in whole.items() if name not in {"data", "datacontenttype"}}
    headers = [(f"ce_{name}", str(value).encode()) for name, value in attributes.items()]
    return as_bytes(whole.get("data")), [*headers, ("content-type", b"application/json")]
