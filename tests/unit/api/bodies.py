"""Bodies as clients write them, and webhooks as they are stored: valid as they come, changed by keyword."""

import uuid
from typing import Any

from coro_events.contract.triggers import Trigger
from coro_events.rules.webhooks import WebhookState
from services.api.webhooks.ports import Webhook
from tests.support.clock import START


def make_body(**changes: Any) -> dict[str, Any]:
    """Return the body that creates a webhook."""
    return {
        "name": "Billing",
        "applyToAllDescendants": True,
        "url": "https://billing.example.com/coro",
        "secret": "0123456789abcdef",
        "triggers": ["workspaceCreated.v1"],
    } | changes


def make_webhook(**changes: Any) -> Webhook:
    """Return a webhook as it is stored."""
    values: dict[str, Any] = {
        "id": uuid.UUID("4c0d5b0e-3f6d-4e0a-9a55-5a0f8b8f6c11"),
        "workspace_id": "acme",
        "version": 1,
        "name": "Billing",
        "description": "",
        "url": "https://billing.example.com/coro",
        "apply_to_all_descendants": True,
        "triggers": (Trigger.WORKSPACE_CREATED,),
        "secret_sealed": b"sealed secret",
        "headers_sealed": b"sealed headers",
        "state": WebhookState.ENABLED,
        "disabled_reason": None,
        "draft_of": None,
        "revision": 3,
        "created_at": START,
        "updated_at": START,
    } | changes
    return Webhook(**values)
