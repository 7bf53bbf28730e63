"""Bytes to events: every record becomes something to plan, something to ignore or a rejection."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from coro_events.contract.codec import decode
from coro_events.contract.topics import WEBHOOKS
from coro_events.contract.triggers import Trigger
from coro_events.contract.webhook_events import (
    TestRequested,
    WebhookChanged,
    WebhookEvent,
    WebhookEventType,
    decode_webhook_event,
)
from coro_events.contract.workspaces import WorkspaceCreated, WorkspaceStatusUpdated
from coro_events.errors import ContractError
from services.dispatcher.intake.batch import Batch, Decoded, Record, Rejection, StatusChange, TestRequest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENDS = frozenset({WebhookEventType.DELETED, WebhookEventType.EXPIRED})


def decode_batch(batch: Batch, *, webhooks_topic: str = WEBHOOKS) -> Decoded:
    """Read every record of a batch; one that cannot be read never stops the others.

    Args:
        batch: What was read.
        webhooks_topic: The topic of what happens to webhooks; every other one holds domain events.
    """
    decoded = Decoded(spans=batch.spans)
    for record in batch.records:
        try:
            if record.topic == webhooks_topic:
                _take_webhook_event(decoded, decode_webhook_event(record.value, record.headers))
            else:
                _take_event(decoded, record)
        except ContractError as error:
            decoded.rejections.append(Rejection(record=record, reason=str(error)))
    return decoded


def _take_event(decoded: Decoded, record: Record) -> None:
    event = decode(record.value, record.headers, received_at(record))
    if event.id in decoded.events:
        return
    decoded.events[event.id] = event
    if event.trigger is Trigger.WORKSPACE_CREATED:
        decoded.workspaces.append(WorkspaceCreated.model_validate_json(event.data))
    elif event.trigger is Trigger.WORKSPACE_STATUS_UPDATED:
        data = WorkspaceStatusUpdated.model_validate_json(event.data)
        decoded.statuses.append(StatusChange(event.workspace_id, data.status, event.occurred_at))


def _take_webhook_event(decoded: Decoded, event: WebhookEvent) -> None:
    if isinstance(event.data, WebhookChanged):
        if event.type is WebhookEventType.DISABLED:
            decoded.disabled_webhooks.add(UUID(event.data.webhook_id))
        elif event.type in _ENDS:
            decoded.gone_webhooks.add(UUID(event.data.webhook_id))
    if isinstance(event.data, TestRequested) and event.workspace_id is not None:
        decoded.tests.append(
            TestRequest(
                webhook_id=UUID(event.data.webhook_id),
                test_id=UUID(event.data.test_id),
                workspace_id=event.workspace_id,
                requested_at=event.occurred_at,
            )
        )


def received_at(record: Record) -> datetime:
    """Return the broker's timestamp of a record, which stands in for a missing event time."""
    return _EPOCH + timedelta(milliseconds=max(record.timestamp, 0))
