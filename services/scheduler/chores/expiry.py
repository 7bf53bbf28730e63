"""The chore that ends webhooks a day after their version has expired, and tells everybody who should know."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from coro_events.contract.webhook_events import SOURCE_SCHEDULER, WebhookChanged, WebhookEvent, WebhookEventType
from coro_events.rules.sunset import Notice
from coro_events.store.mailing import MailKind, collect
from coro_events.store.sunsets import Candidate, expire, take
from coro_events.store.telling import log_lines, publish_all
from coro_events.store.unit import WriteConnection
from services.scheduler.chores.steps import ACTOR, Batch, Steps, lines
from services.scheduler.mail.writing import Writing
from services.scheduler.planned import Planned

_STEPS = (Notice.EXPIRED,)


class Expiry:
    """Satisfies `Chore`."""

    name = "expiry"

    def __init__(self, steps: Steps, writing: Writing) -> None:
        self._steps = steps
        self._writing = writing

    async def run_once(self, now: datetime) -> Mapping[str, object]:
        """End every webhook whose time it is, then write one mail a workspace."""
        webhooks = await self._steps.take(_STEPS, now, _act)
        return {"webhooks": webhooks, "mails": await self._writing.seal(MailKind.EXPIRED, now)}

    async def preview(self, now: datetime) -> Sequence[Planned]:
        """Return which webhooks would end."""
        return await self._steps.preview(_STEPS, now)


async def _act(connection: WriteConnection, batch: Batch) -> int:
    due = batch.of(Notice.EXPIRED)
    taken = await take(connection, Notice.EXPIRED, batch.version, [webhook.id for webhook in due], batch.now)
    ended = await expire(connection, [webhook.id for webhook in due if webhook.id in taken], batch.now)
    told = [webhook for webhook in due if webhook.id in ended]
    await log_lines(connection, lines(told, "webhook.expired", batch.expires_at), actor=ACTOR, at=batch.now)
    await publish_all(connection, [_event(webhook, batch.now) for webhook in told])
    # Nobody has to do anything about a webhook whose draft has taken over.
    missed = [webhook.id for webhook in told if not webhook.is_replaced]
    await collect(connection, MailKind.EXPIRED, batch.version, missed, batch.now)
    return len(told)


def _event(webhook: Candidate, now: datetime) -> WebhookEvent:
    data = WebhookChanged(webhook_id=str(webhook.id), name=webhook.name, version=webhook.version)
    return WebhookEvent(uuid.uuid4(), SOURCE_SCHEDULER, WebhookEventType.EXPIRED, webhook.workspace_id, now, data)
