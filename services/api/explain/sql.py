"""What an explanation is made of, read from PostgreSQL."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import text

from coro_events.rules.deliveries import DeliveryState
from coro_events.rules.matching import Wish
from coro_events.rules.webhooks import WebhookState
from coro_events.store.unit import Database
from services.api.explain.ports import Asked, PastDelivery, PastEvent, Then

_WEBHOOK = text("""
    select w.id, w.workspace_id, w.state, w.triggers, w.apply_to_all_descendants, w.disabled_reason, w.version,
           w.created_at, v.expires_at, cast(w.replaced_by as text) as replaced_by,
           w.shadow_url is not null and o.state = 'enabled' as is_tried_out
    from webhooks w join webhook_versions v on v.version = w.version left join webhooks o on o.id = w.draft_of
    where w.id = :id and w.workspace_id = :workspace_id
""")

# The days are named, so that each partition is asked for one key; events elsewhere in the tree are nobody's business.
_EVENT = text("""
    select e.day, e.id, e.source, e.source_id, e.type, e.workspace_id, e.occurred_at, e.received_at, k.path
    from events e join workspaces k on k.id = e.workspace_id
    where e.day = any (cast(:days as date[])) and e.id = :id and :workspace_id = any (k.path)
    order by e.day limit 1
""")

_DELIVERY = text("""
    select hook_id, state, attempts, created_at, finished_at from deliveries
    where day = :day and webhook_id = :webhook_id and event_id = :event_id
""")

_THEN = text("""
    select (select coalesce(detail ->> 'status', action) from activity_log
            where workspace_id = :workspace_id and subject = :subject and at <= :at
            and action in ('webhook.created', 'webhook.enabled', 'webhook.disabled', 'webhook.expired',
                           'webhook.draft_created', 'webhook.draft_published', 'webhook.switched_back')
            order by at desc, id desc limit 1) as action,
           (select min(at) from activity_log where workspace_id = :workspace_id and subject = :subject and at > :at
            and action = 'webhook.updated') as changed_at
""")

_PATH = text("select path from workspaces where id = :id")

# A webhook is enabled from its creation on. A published draft is what its original was; the log tells which.
_STATE_AFTER = {
    "webhook.created": WebhookState.ENABLED,
    "webhook.enabled": WebhookState.ENABLED,
    "webhook.disabled": WebhookState.DISABLED,
    "webhook.expired": WebhookState.EXPIRED,
    "webhook.draft_created": WebhookState.DRAFT,
    "webhook.switched_back": WebhookState.DRAFT,
    WebhookState.ENABLED.value: WebhookState.ENABLED,
    WebhookState.DISABLED.value: WebhookState.DISABLED,
}


class SqlPast:
    """What happened, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def webhook(self, workspace_id: str, webhook_id: uuid.UUID) -> Asked | None:
        """Return a webhook of a workspace."""
        async with self._database.read() as connection:
            row = await connection.row(_WEBHOOK, {"id": webhook_id, "workspace_id": workspace_id})
        if row is None:
            return None
        wish = Wish(
            workspace_id=row.workspace_id,
            state=WebhookState(row.state),
            triggers=tuple(row.triggers),
            apply_to_all_descendants=row.apply_to_all_descendants,
            disabled_reason=row.disabled_reason,
            replaced_by=row.replaced_by,
            is_tried_out=bool(row.is_tried_out),
        )
        return Asked(row.id, wish, row.version, row.created_at, row.expires_at)

    async def event(self, workspace_id: str, event_id: uuid.UUID, *, days: Sequence[date]) -> PastEvent | None:
        """Return an event of a workspace or of one below it, if it is filed under one of the days."""
        async with self._database.read() as connection:
            row = await connection.row(_EVENT, {"id": event_id, "workspace_id": workspace_id, "days": list(days)})
        return None if row is None else PastEvent(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it

    async def delivery(self, webhook_id: uuid.UUID, event: PastEvent) -> PastDelivery | None:
        """Return the delivery of an event to a webhook."""
        key = {"day": event.day, "webhook_id": webhook_id, "event_id": event.id}
        async with self._database.read() as connection:
            row = await connection.row(_DELIVERY, key)
        if row is None:
            return None
        return PastDelivery(row.hook_id, DeliveryState(row.state), row.attempts, row.created_at, row.finished_at)

    async def then(self, asked: Asked, at: datetime) -> Then:
        """Return what the activity log tells of a webhook at a time."""
        scope = {"workspace_id": asked.wish.workspace_id, "subject": str(asked.id), "at": at}
        async with self._database.read() as connection:
            row = await connection.row(_THEN, scope)
        if row is None:
            return Then(state=None, changed_at=None)
        return Then(state=_STATE_AFTER.get(row.action), changed_at=row.changed_at)

    async def path(self, workspace_id: str) -> Sequence[str] | None:
        """Return the ids from the root down to a workspace; none where there is no such workspace."""
        async with self._database.read() as connection:
            path: Sequence[str] | None = await connection.scalar(_PATH, {"id": workspace_id})
        return path
