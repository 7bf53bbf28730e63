"""Rotation of a webhook's secret: for a while the one before signs too, so that receivers can follow."""

import secrets
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from coro_events.contract.webhook_events import SOURCE_API, WebhookChanged, WebhookEvent, WebhookEventType
from coro_events.runtime.clock import Clock
from services.api.access.service import Caller
from services.api.idempotency.ports import KeptAnswer
from services.api.refusals import Fault, InvalidInput, NotFound
from services.api.webhooks.edit import require_match
from services.api.webhooks.ended import require_alive
from services.api.webhooks.ports import Activity, Webhook, WebhookChange, WebhookStore
from services.api.webhooks.schemas import SecretRotation, WebhookView
from services.api.webhooks.seals import Seals
from services.api.webhooks.view import webhook_fields

# Bytes of chance in a secret that we make.
SECRET_BYTES = 32


class Rotating:
    """Gives webhooks new secrets."""

    def __init__(self, *, store: WebhookStore, seals: Seals, clock: Clock) -> None:
        self._store = store
        self._seals = seals
        self._clock = clock

    async def rotate(
        self,
        caller: Caller,
        webhook_id: uuid.UUID,
        body: SecretRotation,
        *,
        if_match: str | None,
        keep: Callable[[Webhook, WebhookView], KeptAnswer] | None = None,
    ) -> tuple[Webhook, WebhookView]:
        """Replace a secret; the present one also signs until its overlap ends, one before that no longer does.

        Returns:
            The webhook, and its view with the new secret in the clear.

        Raises:
            NotFound: The workspace has no such webhook.
            EditConflict: It is not at the revision that the caller has read.
            WrongState: It is expired.
            InvalidInput: The new secret is the present one.
        """
        now = self._clock.now()
        secret = body.secret or secrets.token_urlsafe(SECRET_BYTES)
        last = await self._store.last_deliveries([webhook_id])
        async with self._store.change() as change:
            webhook = await change.lock(caller.workspace_id, webhook_id)
            if webhook is None:
                raise NotFound
            require_match(webhook, if_match)
            webhook = self._rotated(webhook, secret, timedelta(hours=body.overlap_hours), now)
            await change.update(webhook)
            await _tell(change, caller, webhook, body, now)
            view = WebhookView(
                **webhook_fields(
                    webhook,
                    header_names=self._seals.headers(webhook),
                    last_delivery=last.get(webhook.id),
                    now=now,
                    secret=secret,
                )
            )
            if keep is not None:
                await change.keep(keep(webhook, view))
        return webhook, view

    def _rotated(self, webhook: Webhook, secret: str, overlap: timedelta, now: datetime) -> Webhook:
        require_alive(webhook)
        if self._seals.open(webhook).secret == secret:
            raise InvalidInput(Fault("secret", "must not be the present one"))
        return replace(
            webhook,
            secret_sealed=self._seals.secret(webhook.id, secret),
            previous_secret_sealed=webhook.secret_sealed if overlap else None,
            previous_secret_until=now + overlap if overlap else None,
            revision=webhook.revision + 1,
            updated_at=now,
        )


async def _tell(change: WebhookChange, caller: Caller, webhook: Webhook, body: SecretRotation, now: datetime) -> None:
    await change.record(
        Activity(
            workspace_id=webhook.workspace_id,
            at=now,
            actor=caller.actor,
            action="webhook.secret_rotated",
            subject=str(webhook.id),
            detail={"name": webhook.name, "overlapHours": body.overlap_hours},
        )
    )
    data = WebhookChanged(webhook_id=str(webhook.id), name=webhook.name, version=webhook.version, actor=caller.actor)
    await change.publish(
        WebhookEvent(
            id=uuid.uuid4(),
            source=SOURCE_API,
            type=WebhookEventType.UPDATED,
            workspace_id=webhook.workspace_id,
            occurred_at=now,
            data=data,
        )
    )
