"""Many lines of the activity log, and many messages of the outbox, in one statement each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from coro_events.contract.topics import WEBHOOKS
from coro_events.contract.webhook_events import WebhookEvent, encode_webhook_event
from coro_events.store.outbox import RING
from coro_events.store.unit import WriteConnection

_LOG = text(
    """
    insert into activity_log (workspace_id, at, actor, action, subject, detail)
    select workspace_id, :at, :actor, action, subject, cast(detail as jsonb)
    from unnest(cast(:workspace_ids as text[]), cast(:actions as text[]), cast(:subjects as text[]),
                cast(:details as text[])) as g (workspace_id, action, subject, detail)
    """
)

_PUBLISH = text(
    "insert into outbox (topic, key, message) select :topic, key, cast(message as jsonb)"
    " from unnest(cast(:keys as text[]), cast(:messages as text[])) with ordinality as g (key, message, place)"
    " order by place"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the activity log; `detail` holds no secrets."""

    workspace_id: str
    action: str
    subject: str
    detail: Mapping[str, object]


async def log_lines(connection: WriteConnection, lines: Sequence[Line], *, actor: str, at: datetime) -> None:
    """Write lines of the activity log."""
    if not lines:
        return
    params = {
        "workspace_ids": [line.workspace_id for line in lines],
        "actions": [line.action for line in lines],
        "subjects": [line.subject for line in lines],
        "details": [json.dumps(dict(line.detail)) for line in lines],
        "actor": actor,
        "at": at,
    }
    await connection.execute(_LOG, params)


async def publish_all(connection: WriteConnection, events: Sequence[WebhookEvent]) -> None:
    """Leave messages in the outbox, in this order; the rows they are about must be locked or new."""
    if not events:
        return
    params = {
        "topic": WEBHOOKS,
        "keys": [event.workspace_id for event in events],
        "messages": [encode_webhook_event(event).decode() for event in events],
    }
    await connection.execute(_PUBLISH, params)
    await connection.execute(RING)
