"""JSON Schemas and the AsyncAPI document of everything that travels, made from the models."""

from typing import Any

from coro_events.contract.bodies import body_format
from coro_events.contract.cloudevents import STRUCTURED_CONTENT_TYPE
from coro_events.contract.data import DATA_MODELS, TestData
from coro_events.contract.fields import MAX_ID_LENGTH, MAX_WORKSPACE_ID_LENGTH, Wire
from coro_events.contract.topics import EVENTS, REJECTED, REJECTED_HEADERS, WEBHOOKS
from coro_events.contract.triggers import TEST_TYPE, Trigger
from coro_events.contract.webhook_events import WEBHOOK_EVENT_MODELS, WebhookEventType

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EXAMPLE_ID = "9d3c1f52-7a55-4bb0-8a7e-0a7c5a4f2e90"
_EXAMPLE_WORKSPACE = "exampletradecom_7K2P_b"


def data_schema(trigger: Trigger) -> Schema:
    """Return the schema of an event's data, as a service may emit it."""
    schema = DATA_MODELS[trigger].model_json_schema(mode="validation")
    return {"$schema": DIALECT, **schema, "title": trigger.value, "description": trigger.description}


def body_schema(version: int, event_type: str) -> Schema:
    """Return the schema of the body that a webhook of a version receives.

    Raises:
        ContractError: There is no such version.
        ValueError: There is no such type.
    """
    properties_of = body_format(version).properties
    model = TestData if event_type == TEST_TYPE else DATA_MODELS[Trigger(event_type)]
    data = model.model_json_schema(mode="serialization")
    definitions = data.pop("$defs", None)
    properties = properties_of(event_type, data)
    return {
        "$schema": DIALECT,
        "title": f"{event_type}, webhook version {version}",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        **({"$defs": definitions} if definitions else {}),
    }


def record_schema(event_type: str, model: type[Wire], *, workspace_required: bool = True) -> Schema:
    """Return the schema of a structured CloudEvents record of one type."""
    data = model.model_json_schema(mode="validation")
    definitions = data.pop("$defs", None)
    required = ["specversion", "id", "source", "type", *(["subject"] if workspace_required else []), "data"]
    return {
        "title": event_type,
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "minLength": 1, "maxLength": MAX_ID_LENGTH},
            "source": {"type": "string", "minLength": 1, "maxLength": MAX_ID_LENGTH},
            "type": {"const": event_type},
            "subject": {
                "type": "string",
                "minLength": 1,
                "maxLength": MAX_WORKSPACE_ID_LENGTH,
                "description": "The workspace it happened in.",
            },
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "traceparent": {"type": "string"},
            "data": data,
        },
        "required": required,
        **({"$defs": definitions} if definitions else {}),
    }


def _message(event_type: str, model: type[Wire], summary: str, *, workspace_required: bool = True) -> Schema:
    example = model.example().model_dump(mode="json", by_alias=True)
    payload = {
        "specversion": "1.0",
        "id": _EXAMPLE_ID,
        "source": "example/service",
        "type": event_type,
        **({"subject": _EXAMPLE_WORKSPACE} if workspace_required else {}),
        "time": "2026-03-01T09:00:00Z",
        "datacontenttype": "application/json",
        "data": example,
    }
    name = f"#/components/messages/{event_type}/payload/schema/$defs/"
    schema = rebased(record_schema(event_type, model, workspace_required=workspace_required), name)
    return {
        "name": event_type,
        "summary": summary,
        "contentType": STRUCTURED_CONTENT_TYPE,
        "payload": {"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": schema},
        "bindings": {"kafka": {"key": {"type": "string", "description": "The workspace id."}}},
        "examples": [{"name": event_type, "payload": payload}],
    }


def rebased(node: Any, prefix: str) -> Any:
    """Return a schema whose references start at the root of the document that holds it."""
    if isinstance(node, dict):
        return {
            key: value.replace("#/$defs/", prefix)
            if key == "$ref" and isinstance(value, str)
            else rebased(value, prefix)
            for key, value in node.items()
        }
    return [rebased(item, prefix) for item in node] if isinstance(node, list) else node


def _rejected_message() -> Schema:
    return {
        "name": "rejected-record",
        "summary": "A record of coro.events that could not be read, as it was, with the reason in headers.",
        "headers": {
            "type": "object",
            "properties": {name: {"type": "string", "description": text} for name, text in REJECTED_HEADERS.items()},
            "required": list(REJECTED_HEADERS),
        },
        "payload": {"description": "The raw value, whatever it is."},
        "bindings": {"kafka": {"key": {"description": "The key as read."}}},
    }


def _channel(address: str, description: str, names: list[str]) -> Schema:
    messages = {name: {"$ref": f"#/components/messages/{name}"} for name in names}
    return {
        "address": address,
        "description": description,
        "messages": messages,
        "bindings": {"kafka": {"topic": address}},
    }


def asyncapi(version: str) -> Schema:
    """Return the AsyncAPI 3.0 document of the three topics, for a version of this product."""
    events = {one.value: _message(one.value, model, one.description) for one, model in DATA_MODELS.items()}
    webhooks = {
        one.value: _message(
            one.value,
            model,
            (model.__doc__ or "").splitlines()[0],
            workspace_required=one is not WebhookEventType.VERSION_RELEASED,
        )
        for one, model in WEBHOOK_EVENT_MODELS.items()
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Coro Webhooks topics",
            "version": version,
            "description": "CloudEvents 1.0 as JSON; structured and binary mode are read, structured is written.",
        },
        "defaultContentType": STRUCTURED_CONTENT_TYPE,
        "channels": {
            "events": _channel(EVENTS, "What happens in workspaces.", list(events)),
            "webhooks": _channel(WEBHOOKS, "What happens to webhooks.", list(webhooks)),
            "rejected": _channel(REJECTED, "What could not be read.", ["rejected-record"]),
        },
        "operations": {
            "readEvents": {"action": "receive", "channel": {"$ref": "#/channels/events"}},
            "tellOfWebhooks": {"action": "send", "channel": {"$ref": "#/channels/webhooks"}},
            "readTestRequests": {
                "action": "receive",
                "channel": {"$ref": "#/channels/webhooks"},
                "messages": [{"$ref": f"#/channels/webhooks/messages/{WebhookEventType.TEST_REQUESTED}"}],
            },
            "rejectRecord": {"action": "send", "channel": {"$ref": "#/channels/rejected"}},
        },
        "components": {"messages": {**events, **webhooks, "rejected-record": _rejected_message()}},
    }
