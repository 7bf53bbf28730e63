"""The `webhooks` section of the OpenAPI document: the requests that receivers get."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from coro_events.contract.bodies import TEST_DATA, VERSIONS, render_body
from coro_events.contract.data import DATA_MODELS
from coro_events.contract.place import Place
from coro_events.contract.retirement import DEPRECATION, SUNSET
from coro_events.contract.schemas import body_schema, rebased
from coro_events.contract.triggers import TEST_TYPE, Trigger, rest_name

_ID = "9d3c1f52-7a55-4bb0-8a7e-0a7c5a4f2e90"
_WORKSPACE = "exampletradecom_7K2P_b"
_WORKSPACE_ABOVE = "examplemsp_4F8D_b"
_AT = datetime(2026, 3, 1, 9, 0, 0, 123000, tzinfo=UTC)
_TEST_TEXT = "Sent when a webhook is created, and on demand; one attempt, which never disables the webhook."

# Name, what it says, and an example; customers' own headers come beside them.
HEADERS: tuple[tuple[str, str, str], ...] = (
    ("X-Coro-Hook-Id", "The id of this delivery: new for each, the same in all of its attempts.", _ID),
    ("X-Coro-Hook-Type", "What happened.", ""),
    (
        "X-Coro-Signature",
        "HMAC-SHA256 of the hook id in lower-case hex; the key is the secret as UTF-8. It does not cover the body.",
        "a" * 64,
    ),
    ("webhook-id", "The hook id, as Standard Webhooks names it.", _ID),
    ("webhook-timestamp", "When this attempt was made; seconds since 1970, UTC.", "1772355600"),
    (
        "webhook-signature",
        (
            "Standard Webhooks: `v1,` and the base64 of the HMAC-SHA256 over id, timestamp and body, joined by full "
            "stops; the key is the secret as UTF-8. After a rotation there is one for each secret, a space between."
        ),
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
)


# What comes along where the webhook's version expires.
RETIREMENT_HEADERS: tuple[tuple[str, str, str], ...] = (
    (DEPRECATION, "When the next version was released, after RFC 9745; seconds since 1970.", "@1772355600"),
    (SUNSET, "When this webhook's version expires, after RFC 8594.", "Tue, 01 Sep 2026 09:00:00 GMT"),
)


def webhooks() -> dict[str, Any]:
    """Return the section: an entry for each type of each version, named as REST names triggers."""
    section: dict[str, Any] = {}
    for version in VERSIONS:
        for trigger in Trigger:
            name, data = rest_name(trigger, version), DATA_MODELS[trigger].example().to_bytes()
            section[name] = _entry(name, version, trigger.value, trigger.description, data)
        name = f"{TEST_TYPE}.v{version}"
        section[name] = _entry(name, version, TEST_TYPE, _TEST_TEXT, TEST_DATA)
    return section


def _entry(name: str, version: int, event_type: str, text: str, data: bytes) -> dict[str, Any]:
    path = (_WORKSPACE_ABOVE, _WORKSPACE)
    body = render_body(
        version,
        event_type=event_type,
        hook_id=_ID,
        workspace_id=_WORKSPACE,
        occurred_at=_AT,
        data=data,
        place=Place("Example Trade", "child", path, sequence=None if event_type == TEST_TYPE else 1042),
    )
    place = f"#/webhooks/{name}/post/requestBody/content/application~1json/schema/$defs/"
    schema = rebased(body_schema(version, event_type), place)
    operation = {
        "operationId": f"receive{name[0].upper()}{name[1:].replace('.', '')}",
        "summary": f"{event_type}, webhook version {version}",
        "description": text,
        "tags": ["receivers"],
        "parameters": [
            *(_header(*header, event_type=event_type) for header in HEADERS),
            *(_header(*header, event_type=event_type, required=False) for header in RETIREMENT_HEADERS),
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": json.loads(body)}},
        },
        "responses": _RESPONSES,
        "security": [],
    }
    return {"post": operation}


def _header(name: str, description: str, example: str, *, event_type: str, required: bool = True) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if name == "X-Coro-Hook-Type":
        schema, example = {"type": "string", "const": event_type}, event_type
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": schema,
        "example": example,
    }


_RESPONSES: Mapping[str, Any] = {
    "2XX": {"description": "It is taken. Answer within 10 seconds, and do the work afterwards."},
    "410": {"description": "Do not try this delivery again; the webhook is disabled."},
    "429": {"description": "It is tried again, no earlier than Retry-After says, within bounds."},
    "503": {"description": "The same."},
    "default": {"description": "It is tried again, four times in all; then the webhook is disabled."},
}
