"""Coro Webhooks events: what internal services emit and receivers get."""

from coro_events.contract.bodies import TEST_DATA, VERSIONS, render_body
from coro_events.contract.cloudevents import MAX_RECORD_BYTES, STRUCTURED_HEADERS
from coro_events.contract.codec import decode, encode, new_event
from coro_events.contract.data import DATA_MODELS, TestData, read_data
from coro_events.contract.envelope import Event, event_id
from coro_events.contract.fields import WorkspaceStatus, WorkspaceType
from coro_events.contract.place import Place
from coro_events.contract.protection import (
    ProtectedDevice,
    ProtectedDevicesAdded,
    ProtectedDevicesCountUpdated,
    ProtectedDevicesDeleted,
    ProtectedDevicesUpdated,
    ProtectedUser,
    ProtectedUsersAdded,
    ProtectedUsersCountUpdated,
    ProtectedUsersDeleted,
    ProtectedUsersUpdated,
)
from coro_events.contract.topics import DEFAULT_PARTITIONS, EVENTS, REJECTED, TOPICS, WEBHOOKS, partition_key
from coro_events.contract.triggers import TEST_TYPE, Trigger, parse_rest_name, rest_name
from coro_events.contract.webhook_events import (
    DeliveryExhausted,
    DraftChanged,
    TestRequested,
    VersionReleased,
    WebhookChanged,
    WebhookEvent,
    WebhookEventType,
    decode_webhook_event,
    encode_webhook_event,
)
from coro_events.contract.workspaces import (
    Bundle,
    Modules,
    Subscription,
    SubscriptionUpdated,
    WorkspaceCreated,
    WorkspaceStatusUpdated,
)
from coro_events.errors import ContractError, CoroError, InvalidEvent, PublishError, UndecodableRecord

__all__ = [
    "DATA_MODELS",
    "DEFAULT_PARTITIONS",
    "EVENTS",
    "MAX_RECORD_BYTES",
    "REJECTED",
    "STRUCTURED_HEADERS",
    "TEST_DATA",
    "TEST_TYPE",
    "TOPICS",
    "VERSIONS",
    "WEBHOOKS",
    "Bundle",
    "ContractError",
    "CoroError",
    "DeliveryExhausted",
    "DraftChanged",
    "Event",
    "InvalidEvent",
    "Modules",
    "Place",
    "ProtectedDevice",
    "ProtectedDevicesAdded",
    "ProtectedDevicesCountUpdated",
    "ProtectedDevicesDeleted",
    "ProtectedDevicesUpdated",
    "ProtectedUser",
    "ProtectedUsersAdded",
    "ProtectedUsersCountUpdated",
    "ProtectedUsersDeleted",
    "ProtectedUsersUpdated",
    "PublishError",
    "Subscription",
    "SubscriptionUpdated",
    "TestData",
    "TestRequested",
    "Trigger",
    "UndecodableRecord",
    "VersionReleased",
    "WebhookChanged",
    "WebhookEvent",
    "WebhookEventType",
    "WorkspaceCreated",
    "WorkspaceStatus",
    "WorkspaceStatusUpdated",
    "WorkspaceType",
    "decode",
    "decode_webhook_event",
    "encode",
    "encode_webhook_event",
    "event_id",
    "new_event",
    "parse_rest_name",
    "partition_key",
    "read_data",
    "render_body",
    "rest_name",
]
