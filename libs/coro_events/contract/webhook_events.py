"""What happens to webhooks, as it travels on `coro.webhooks`; no secrets, header values or URL queries."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field, StrictInt, StringConstraints, ValidationError

from coro_events.contract.cloudevents import Headers, read_record, write_record
from coro_events.contract.data import reason_of
from coro_events.contract.envelope import read_id, read_time, read_workspace_id
from coro_events.contract.fields import Count, Milliseconds, OptionalText, Wire, Word, shown
from coro_events.errors import InvalidEvent, UndecodableRecord

SOURCE_API: Final = "coro/api"
SOURCE_DISPATCHER: Final = "coro/dispatcher"
SOURCE_SCHEDULER: Final = "coro/scheduler"

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Version = Annotated[StrictInt, Field(ge=1, le=9999)]


class WebhookEventType(StrEnum):
    """What may happen to a webhook or to a webhook version."""

    CREATED = "webhook-created"
    UPDATED = "webhook-updated"
    ENABLED = "webhook-enabled"
    DISABLED = "webhook-disabled"
    DELETED = "webhook-deleted"
    EXPIRED = "webhook-expired"
    DRAFT_CREATED = "webhook-draft-created"
    DRAFT_PUBLISHED = "webhook-draft-published"
    SWITCHED_BACK = "webhook-switched-back"
    TEST_REQUESTED = "webhook-test-requested"
    DELIVERY_EXHAUSTED = "delivery-exhausted"
    VERSION_RELEASED = "version-released"


_WEBHOOK_ID = "4c0d5b0e-3f6d-4e0a-9a55-5a0f8b8f6c11"


class WebhookChanged(Wire):
    """A webhook is created, edited, enabled, disabled, deleted or expired."""

    model_config = shown(
        {
            "webhookId": _WEBHOOK_ID,
            "name": "Billing",
            "version": 1,
            "reason": "four attempts failed",
            "actor": "admin@msp.example.com",
        }
    )

    webhook_id: Id
    name: OptionalText | None = None
    version: Version | None = None
    reason: OptionalText | None = None
    actor: OptionalText | None = Field(default=None, description="Who did it; null for the system itself.")


class DraftChanged(Wire):
    """A draft is made, takes over from its original, or becomes a draft again."""

    model_config = shown(
        {
            "webhookId": "8a1f2c7e-5b0d-4a6f-9c3e-2d4b6f8a0c1e",
            "originalId": _WEBHOOK_ID,
            "name": "Billing",
            "version": 2,
            "actor": "admin@msp.example.com",
        }
    )

    webhook_id: Id = Field(description="The draft, or the webhook that was one.")
    original_id: Id = Field(description="The webhook of the version before.")
    name: OptionalText | None = None
    version: Version | None = Field(default=None, description="The version of the draft.")
    actor: OptionalText | None = Field(default=None, description="Who did it; null for the system itself.")


class TestRequested(Wire):
    """Somebody asks for a test delivery."""

    __test__ = False  # The name begins with "Test", yet it is none for pytest.

    model_config = shown(
        {
            "webhookId": _WEBHOOK_ID,
            "testId": "f2b1a6c8-0b8e-4f43-8f5e-d4f1a7b5e210",
            "actor": "admin@msp.example.com",
        }
    )

    webhook_id: Id
    test_id: Id = Field(description="Names the request, so that a repeated record sends one test.")
    actor: OptionalText | None = None


class DeliveryExhausted(Wire):
    """A delivery has failed for good."""

    model_config = shown(
        {
            "webhookId": _WEBHOOK_ID,
            "hookId": "9d3c1f52-7a55-4bb0-8a7e-0a7c5a4f2e90",
            "eventId": "0f0a9f4e-55d7-5b5f-9c0e-6a1c3b5d7e42",
            "eventType": "workspace-created",
            "attempts": 4,
            "reason": "status 500",
        }
    )

    webhook_id: Id
    hook_id: Id
    event_id: Id | None = None
    event_type: Word
    attempts: Count
    reason: OptionalText | None = None


class VersionReleased(Wire):
    """A webhook version is released, which starts the sunset of the one before."""

    model_config = shown({"version": 2, "previousVersion": 1, "previousExpires": 1788220800000})

    version: Version
    previous_version: Version | None = None
    previous_expires: Milliseconds | None = Field(default=None, description="UTC, in milliseconds.")


WebhookEventData = WebhookChanged | DraftChanged | TestRequested | DeliveryExhausted | VersionReleased

WEBHOOK_EVENT_MODELS: Final[Mapping[WebhookEventType, type[WebhookEventData]]] = MappingProxyType(
    {
        WebhookEventType.CREATED: WebhookChanged,
        WebhookEventType.UPDATED: WebhookChanged,
        WebhookEventType.ENABLED: WebhookChanged,
        WebhookEventType.DISABLED: WebhookChanged,
        WebhookEventType.DELETED: WebhookChanged,
        WebhookEventType.EXPIRED: WebhookChanged,
        WebhookEventType.DRAFT_CREATED: DraftChanged,
        WebhookEventType.DRAFT_PUBLISHED: DraftChanged,
        WebhookEventType.SWITCHED_BACK: DraftChanged,
        WebhookEventType.TEST_REQUESTED: TestRequested,
        WebhookEventType.DELIVERY_EXHAUSTED: DeliveryExhausted,
        WebhookEventType.VERSION_RELEASED: VersionReleased,
    }
)

_TYPES: Mapping[object, WebhookEventType] = MappingProxyType({one.value: one for one in WebhookEventType})


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """Something that happened to a webhook or a webhook version.

    Attributes:
        id: A uuid, made by whoever writes the event down; the same on every repeat.
        source: `coro/api`, `coro/dispatcher` or `coro/scheduler`.
        type: What happened.
        workspace_id: The webhook's workspace; none for a webhook version, which belongs to all.
        occurred_at: When it happened; aware, UTC.
        data: The type's model.
    """

    id: uuid.UUID
    source: str
    type: WebhookEventType
    workspace_id: str | None
    occurred_at: datetime
    data: WebhookEventData


def encode_webhook_event(event: WebhookEvent) -> bytes:
    """Return the structured record's value; its headers are `STRUCTURED_HEADERS`.

    Raises:
        InvalidEvent: The data is not of the type's model, or the time is not aware.
    """
    if type(event.data) is not WEBHOOK_EVENT_MODELS[event.type]:
        raise InvalidEvent(f"data: must be {WEBHOOK_EVENT_MODELS[event.type].__name__}")
    if event.occurred_at.tzinfo is None:
        raise InvalidEvent("time: must be aware of its time zone")
    return write_record(
        source=event.source,
        source_id=str(event.id),
        event_type=event.type.value,
        subject=event.workspace_id,
        occurred_at=event.occurred_at.astimezone(UTC),
        data=event.data.to_bytes(),
    )


def decode_webhook_event(value: bytes | None, headers: Headers) -> WebhookEvent:
    """Return what a record of `coro.webhooks` tells.

    Raises:
        UndecodableRecord: The record or its envelope is unreadable, or its type is unknown.
        InvalidEvent: The data breaks the schema of its type.
    """
    attributes, data = read_record(value, headers)
    named = attributes.get("type")
    event_type = _TYPES.get(named) if isinstance(named, str) else None
    if event_type is None:
        raise UndecodableRecord("type: must be one of the known webhook event types")
    subject = attributes.get("subject")
    try:
        source = read_id("source", attributes.get("source"))
        event_id = _read_uuid(attributes.get("id"))
        workspace_id = None if subject is None else read_workspace_id("subject", subject)
        occurred_at = read_time("time", attributes.get("time"))
    except ValueError as error:
        raise UndecodableRecord(str(error)) from None
    if workspace_id is None and event_type is not WebhookEventType.VERSION_RELEASED:
        raise UndecodableRecord("subject: is required")
    try:
        checked = WEBHOOK_EVENT_MODELS[event_type].model_validate(data)
    except ValidationError as error:
        raise InvalidEvent(reason_of(error)) from None
    return WebhookEvent(event_id, source, event_type, workspace_id, occurred_at, checked)


def _read_uuid(value: object) -> uuid.UUID:
    try:
        return uuid.UUID(read_id("id", value))
    except ValueError:
        raise ValueError("id: must be a uuid") from None
