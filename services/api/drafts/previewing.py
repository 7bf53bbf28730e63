"""Shows a webhook's own last events in its version and in a later one, side by side; nothing is sent."""

import uuid
from datetime import datetime

from coro_events.contract.bodies import render_body
from coro_events.contract.data import DATA_MODELS
from coro_events.contract.place import Place
from coro_events.runtime.clock import Clock
from services.api.access.service import Caller
from services.api.drafts.ports import SentEvent, SentEvents
from services.api.drafts.rules import newest_after
from services.api.drafts.schemas import Preview, PreviewedEvent
from services.api.refusals import NotFound, WrongState
from services.api.webhooks.ports import Webhook, WebhookStore
from services.api.webhooks.view import milliseconds

# How many events a preview shows.
SHOWN = 10


class Previews:
    """Makes previews."""

    def __init__(self, *, store: WebhookStore, sent: SentEvents, clock: Clock) -> None:
        self._store = store
        self._sent = sent
        self._clock = clock

    async def of(self, caller: Caller, webhook_id: uuid.UUID) -> Preview:
        """Return the last events of a webhook in both formats; examples of its triggers where it has had none.

        Raises:
            NotFound: The workspace has no such webhook.
            WrongState: There is no later version than its own.
        """
        webhook = await self._webhook(caller, webhook_id)
        draft = webhook if webhook.draft_of is not None else await self._draft(caller, webhook_id)
        original = webhook if webhook.draft_of is None else await self._webhook(caller, webhook.draft_of)
        later = draft.version if draft is not None else await self._newest(original)
        events = await self._sent.last(original.id, SHOWN)
        examples = events or _examples(
            draft or original, await self._sent.place(caller.workspace_id), now=self._clock.now()
        )
        return Preview(
            webhook_id=str(original.id),
            draft_id=None if draft is None else str(draft.id),
            old_version=original.version,
            new_version=later,
            examples=not events,
            items=[_side_by_side(event, original.version, later) for event in examples],
        )

    async def _webhook(self, caller: Caller, webhook_id: uuid.UUID) -> Webhook:
        webhook = await self._store.one(caller.workspace_id, webhook_id)
        if webhook is None:
            raise NotFound
        return webhook

    async def _draft(self, caller: Caller, webhook_id: uuid.UUID) -> Webhook | None:
        draft_id = await self._store.draft_of(webhook_id)
        return None if draft_id is None else await self._store.one(caller.workspace_id, draft_id)

    async def _newest(self, webhook: Webhook) -> int:
        newest = newest_after(webhook.version, await self._store.versions(), self._clock.now())
        if newest is None:
            raise WrongState(f"it is of version {webhook.version}, and no later one is released to compare with")
        return newest


def _examples(webhook: Webhook, place: Place, *, now: datetime) -> list[SentEvent]:
    """Return an example of each trigger of a webhook, as if it happened in its workspace now."""
    return [
        SentEvent(
            event_id=None,
            hook_id=uuid.uuid5(webhook.id, trigger.value),
            type=trigger.value,
            workspace_id=webhook.workspace_id,
            occurred_at=now,
            data=DATA_MODELS[trigger].example().to_bytes(),
            place=place,
        )
        for trigger in webhook.triggers[:SHOWN]
    ]


def _side_by_side(event: SentEvent, old: int, new: int) -> PreviewedEvent:
    return PreviewedEvent(
        event_id=None if event.event_id is None else str(event.event_id),
        type=event.type,
        workspace_id=event.workspace_id,
        occurred=milliseconds(event.occurred_at),
        old_body=_body(event, old),
        new_body=_body(event, new),
    )


def _body(event: SentEvent, version: int) -> str:
    body = render_body(
        version,
        event_type=event.type,
        hook_id=str(event.hook_id),
        workspace_id=event.workspace_id,
        occurred_at=event.occurred_at,
        data=event.data,
        place=event.place,
    )
    return body.decode()
