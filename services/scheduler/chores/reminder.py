"""The chore that makes a draft of each webhook a month before its version expires, and reminds its admins."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from coro_events.contract.webhook_events import SOURCE_SCHEDULER, DraftChanged, WebhookEvent, WebhookEventType
from coro_events.errors import SecretUnreadableError
from coro_events.rules.sunset import Notice
from coro_events.runtime.logs import get_logger
from coro_events.store.mailing import MailKind, collect
from coro_events.store.sunsets import Candidate, NewDraft, insert_drafts, newest_version, take
from coro_events.store.telling import Line, log_lines, publish_all
from coro_events.store.unit import WriteConnection
from coro_events.store.vault import Vault
from services.scheduler.chores.steps import ACTOR, Batch, Steps, lines
from services.scheduler.mail.writing import Writing
from services.scheduler.planned import Planned

_log = get_logger("chores")

_STEPS = (Notice.REMINDER, Notice.DRAFT)


class Reminder:
    """Satisfies `Chore`."""

    name = "reminder"

    def __init__(self, steps: Steps, writing: Writing, vault: Vault) -> None:
        self._steps = steps
        self._writing = writing
        self._vault = vault

    async def run_once(self, now: datetime) -> Mapping[str, object]:
        """Make the drafts, each with its reminder in one transaction, then write one mail a workspace."""
        drafts = await self._steps.take(_STEPS, now, self._act)
        return {"drafts": drafts, "mails": await self._writing.seal(MailKind.REMINDER, now)}

    async def preview(self, now: datetime) -> Sequence[Planned]:
        """Return which webhooks would get a draft, and which would be told of."""
        return await self._steps.preview(_STEPS, now)

    async def _act(self, connection: WriteConnection, batch: Batch) -> int:
        due = batch.of(Notice.REMINDER)
        taken = await take(connection, Notice.REMINDER, batch.version, [webhook.id for webhook in due], batch.now)
        told = [webhook for webhook in due if webhook.id in taken]
        await log_lines(connection, lines(told, "webhook.sunset_reminded", batch.expires_at), actor=ACTOR, at=batch.now)
        await collect(connection, MailKind.REMINDER, batch.version, [webhook.id for webhook in told], batch.now)
        return await self._make_drafts(connection, batch)

    async def _make_drafts(self, connection: WriteConnection, batch: Batch) -> int:
        wanted = [(webhook, draft) for webhook in batch.of(Notice.DRAFT) if (draft := self._draft(webhook))]
        ids = [webhook.id for webhook, _ in wanted]
        taken = await take(connection, Notice.DRAFT, batch.version, ids, batch.now)
        newest = await newest_version(connection, batch.now)
        drafts = [draft for webhook, draft in wanted if webhook.id in taken]
        made = await insert_drafts(connection, drafts, newest, batch.now)
        new = [(webhook, draft) for webhook, draft in wanted if draft.id in made]
        await log_lines(
            connection, [_line(webhook, draft, newest) for webhook, draft in new], actor=ACTOR, at=batch.now
        )
        await publish_all(connection, [_event(webhook, draft, newest, batch.now) for webhook, draft in new])
        return len(new)

    def _draft(self, webhook: Candidate) -> NewDraft | None:
        """Return a draft of a webhook with its secrets sealed anew, or none while they cannot be read."""
        draft_id = uuid.uuid4()
        try:
            return NewDraft(
                id=draft_id,
                original_id=webhook.id,
                secret_sealed=self._moved(webhook.secret_sealed, "secret", webhook.id, draft_id),
                headers_sealed=None
                if webhook.headers_sealed is None
                else self._moved(webhook.headers_sealed, "headers", webhook.id, draft_id),
            )
        except SecretUnreadableError as error:
            # The other webhooks get their drafts; this one is tried again in every round until its warning.
            _log.error("draft.not_made", webhook_id=str(webhook.id), error=error.detail)
            return None

    def _moved(self, sealed: bytes, field: str, here: uuid.UUID, there: uuid.UUID) -> bytes:
        return self._vault.seal(self._vault.open(sealed, row=str(here), field=field), row=str(there), field=field)


def _line(webhook: Candidate, draft: NewDraft, version: int) -> Line:
    detail = {"name": webhook.name, "version": version, "draftOf": str(webhook.id)}
    return Line(webhook.workspace_id, "webhook.draft_created", str(draft.id), detail)


def _event(webhook: Candidate, draft: NewDraft, version: int, now: datetime) -> WebhookEvent:
    data = DraftChanged(webhook_id=str(draft.id), original_id=str(webhook.id), name=webhook.name, version=version)
    return WebhookEvent(uuid.uuid4(), SOURCE_SCHEDULER, WebhookEventType.DRAFT_CREATED, webhook.workspace_id, now, data)
