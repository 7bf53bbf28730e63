"""What is told when a draft is made, published or taken back: to people in the activity log, to programs on Kafka."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from coro_events.contract.webhook_events import (
    SOURCE_API,
    DraftChanged,
    WebhookChanged,
    WebhookEvent,
    WebhookEventData,
    WebhookEventType,
)
from services.api.drafts.rules import Swapped
from services.api.webhooks.ports import Activity, Webhook, WebhookChange


class Teller:
    """Tells in one transaction what somebody does at one time."""

    def __init__(self, change: WebhookChange, *, actor: str, at: datetime) -> None:
        self._change = change
        self._actor = actor
        self._at = at

    async def made(self, draft: Webhook, original: Webhook) -> None:
        """Tell that a draft was made."""
        await self._draft(WebhookEventType.DRAFT_CREATED, draft, original, draftOf=str(original.id))

    async def published(self, swapped: Swapped, *, was_enabled: bool) -> None:
        """Tell that a draft took over, and that its original is disabled where it was enabled."""
        draft, original = swapped
        detail = {"replaces": str(original.id), "status": draft.state.value}
        await self._draft(WebhookEventType.DRAFT_PUBLISHED, draft, original, **detail)
        if was_enabled:
            detail = {"reason": str(original.disabled_reason), "replacedBy": str(draft.id)}
            await self._moved(WebhookEventType.DISABLED, original, **detail)

    async def switched_back(self, swapped: Swapped, *, is_enabled: bool) -> None:
        """Tell that a published draft is one again, and that the webhook before runs again if it does."""
        draft, original = swapped
        await self._draft(WebhookEventType.SWITCHED_BACK, draft, original, draftOf=str(original.id))
        if is_enabled:
            await self._moved(WebhookEventType.ENABLED, original)

    async def changed(self, webhook: Webhook, field: str) -> None:
        """Tell that a setting of a webhook was changed."""
        await self._record("webhook.updated", webhook, {"changed": [field]})
        await self._publish(WebhookEventType.UPDATED, webhook, self._data(webhook))

    async def _draft(self, what: WebhookEventType, draft: Webhook, original: Webhook, **detail: str) -> None:
        await self._record(action_of(what), draft, {"version": draft.version, **detail})
        data = DraftChanged(
            webhook_id=str(draft.id),
            original_id=str(original.id),
            name=draft.name,
            version=draft.version,
            actor=self._actor,
        )
        await self._publish(what, draft, data)

    async def _moved(self, what: WebhookEventType, webhook: Webhook, **detail: str) -> None:
        await self._record(action_of(what), webhook, detail)
        await self._publish(what, webhook, self._data(webhook))

    def _data(self, webhook: Webhook) -> WebhookChanged:
        return WebhookChanged(
            webhook_id=str(webhook.id),
            name=webhook.name,
            version=webhook.version,
            reason=webhook.disabled_reason,
            actor=self._actor,
        )

    async def _record(self, action: str, webhook: Webhook, detail: Mapping[str, object]) -> None:
        await self._change.record(
            Activity(
                workspace_id=webhook.workspace_id,
                at=self._at,
                actor=self._actor,
                action=action,
                subject=str(webhook.id),
                detail={"name": webhook.name, **detail},
            )
        )

    async def _publish(self, what: WebhookEventType, webhook: Webhook, data: WebhookEventData) -> None:
        await self._change.publish(
            WebhookEvent(
                id=uuid.uuid4(),
                source=SOURCE_API,
                type=what,
                workspace_id=webhook.workspace_id,
                occurred_at=self._at,
                data=data,
            )
        )


def action_of(what: WebhookEventType) -> str:
    """Return what the activity log calls it, such as `webhook.draft_published`."""
    noun, _, happened = what.value.partition("-")
    return f"{noun}.{happened.replace('-', '_')}"
