"""From what is stored to what clients read: masks, names of triggers, times in milliseconds."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from coro_events.contract.triggers import rest_name
from coro_events.rules.deliveries import DeliveryState
from services.api.webhooks.ports import Delivery, TestDelivery, Webhook
from services.api.webhooks.rules import MASK
from services.api.webhooks.schemas import LastDelivery, TestResponse, TestView


def milliseconds(instant: datetime) -> int:
    """Return a time as the API writes it: milliseconds of UTC, 13 digits."""
    return int(instant.timestamp() * 1000)


def milliseconds_or_none(instant: datetime | None) -> int | None:
    """Return a time as the API writes it, or none."""
    return None if instant is None else milliseconds(instant)


def etag_of(webhook: Webhook) -> str:
    """Return the entity tag of a webhook's present revision."""
    return f'"{webhook.revision}"'


def webhook_fields(
    webhook: Webhook, *, header_names: Iterable[str], last_delivery: Delivery | None, now: datetime, secret: str = MASK
) -> dict[str, Any]:
    """Return the fields that every view of a webhook has.

    Args:
        webhook: As it is stored.
        header_names: The names of its headers; the values stay sealed.
        last_delivery: Its latest delivery of an event.
        now: The present; an overlap of secrets that is over is not told.
        secret: In the clear, where the caller has just chosen it.
    """
    return {
        "id": str(webhook.id),
        "name": webhook.name,
        "workspace_id": webhook.workspace_id,
        "status": webhook.state.value,
        "description": webhook.description,
        "apply_to_all_descendants": webhook.apply_to_all_descendants,
        "url": webhook.url,
        "secret": secret,
        "headers": dict.fromkeys(header_names, MASK),
        "triggers": [rest_name(trigger, webhook.version) for trigger in webhook.triggers],
        "created": milliseconds(webhook.created_at),
        "updated": milliseconds(webhook.updated_at),
        "version": webhook.version,
        "expires": milliseconds_or_none(webhook.expires_at),
        "draft_of": _text_or_none(webhook.draft_of),
        "replaced_by": _text_or_none(webhook.replaced_by),
        "replaces": _text_or_none(webhook.replaces),
        "shadow_url": webhook.shadow_url,
        "disabled_reason": webhook.disabled_reason,
        "last_delivery": None if last_delivery is None else _last_delivery(last_delivery),
        "previous_secret_expires": _if_ahead(webhook.previous_secret_until, now),
    }


def _text_or_none(webhook_id: uuid.UUID | None) -> str | None:
    return None if webhook_id is None else str(webhook_id)


def _if_ahead(instant: datetime | None, now: datetime) -> int | None:
    return None if instant is None or instant <= now else milliseconds(instant)


def _last_delivery(delivery: Delivery) -> LastDelivery:
    return LastDelivery(
        id=str(delivery.hook_id),
        state=delivery.state.value,
        attempts=delivery.attempts,
        created=milliseconds(delivery.created_at),
        finished=milliseconds_or_none(delivery.finished_at),
    )


def view_of_test(test: TestDelivery) -> TestView:
    """Return a test as clients read it."""
    answered = test.response_head is not None or test.response_body is not None
    return TestView(
        id=str(test.id),
        state=_test_state(test.state),
        started=milliseconds_or_none(test.started_at),
        outcome=test.outcome,
        status_code=test.status,
        duration_ms=test.duration_ms,
        error=test.error,
        response=TestResponse(head=test.response_head, body=test.response_body) if answered else None,
    )


def _test_state(state: DeliveryState) -> Any:
    """Return the three states of a test; one that was held or discarded will never be delivered."""
    match state:
        case DeliveryState.PENDING:
            return "pending"
        case DeliveryState.DELIVERED:
            return "delivered"
        case DeliveryState.FAILED | DeliveryState.HELD | DeliveryState.DISCARDED:
            return "failed"
