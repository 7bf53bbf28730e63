"""Outcomes in PostgreSQL: one statement for a batch, and one transaction with what a final failure brings."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from uuid import UUID, uuid4

import orjson
from sqlalchemy import text

from coro_events.contract.topics import WEBHOOKS
from coro_events.contract.webhook_events import (
    SOURCE_DISPATCHER,
    DeliveryExhausted,
    WebhookChanged,
    WebhookEvent,
    WebhookEventData,
    WebhookEventType,
    encode_webhook_event,
)
from coro_events.runtime.clock import Clock
from coro_events.store.outbox import RING
from coro_events.store.unit import Database, WriteConnection
from services.dispatcher.record.effects import Effect

ACTOR = "system:dispatcher"

# One JSON text in place of an array a column: PostgreSQL reads it in less time than the client takes to write arrays,
# value by value.
# The claim is named: a row that another replica took meanwhile is not touched, and then its attempt is not written
# either. The database's clock makes the due time, because replicas' clocks differ.
_RECORD = text(
    """
    with given as materialized (
        select * from json_to_recordset(cast(cast(:effects as text) as json)) as g (
            webhook_id uuid, event_id uuid, claim uuid, hook_id uuid, state text, wait_s float8, number int,
            started_at timestamptz, duration_ms int, outcome text, status int, error text, response_head text,
            response_body text)
        limit :given
    ), found as materialized (
        -- One look into the key for each. Joined to the table by its key, a day whose statistics lag behind is read
        -- whole for every batch. The limits let the planner take these for few, which it cannot know of JSON.
        select g.*, f.place
        from given g cross join lateral (
            select ctid as place from deliveries
            where day = :day and webhook_id = g.webhook_id and event_id = g.event_id limit 1
        ) f
        limit :given
    ), moved as (
        -- A row that moves meanwhile was taken by somebody else.
        update deliveries d
        set state = g.state, attempts = g.number, claim = null, leased_until = null,
            due_at = case when g.wait_s is null then d.due_at else now() + make_interval(secs => g.wait_s) end,
            finished_at = case when g.state = 'pending' then null else now() end
        from found g
        where d.day = :day and d.ctid = g.place and d.claim = g.claim and d.state = 'pending'
        returning g.hook_id, g.claim
    ), attempted as (
        insert into attempts (day, hook_id, number, webhook_id, started_at, duration_ms, outcome, status, error,
                              response_head, response_body)
        select :day, g.hook_id, g.number, g.webhook_id, g.started_at, g.duration_ms, g.outcome, g.status, g.error,
               g.response_head, g.response_body
        -- By the claim as well: after an outage an old and a new claim of one delivery may come in the same batch.
        from given g join moved m on m.hook_id = g.hook_id and m.claim = g.claim
    )
    -- Which ones they were is worth telling only where some are missing.
    select count(*) as written, case when count(*) < :given then array_agg(hook_id) end as hook_ids,
           case when count(*) < :given then array_agg(claim) end as claims
    from moved
    """
)

_DISABLE = text(
    "update webhooks set state = 'disabled', disabled_reason = :reason, revision = revision + 1, updated_at = now()"
    " where id = :id and state = 'enabled' returning workspace_id, name, version"
)

_LOG_ACTIVITY = text(
    "insert into activity_log (workspace_id, actor, action, subject, detail)"
    " values (:workspace_id, :actor, :action, :subject, cast(cast(:detail as text) as jsonb))"
)

_TELL = text("insert into outbox (topic, key, message) values (:topic, :key, cast(cast(:message as text) as jsonb))")


class SqlLedger:
    """Writes effects under their claims."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def record(self, effects: Sequence[Effect]) -> Sequence[Effect]:
        """Write the effects whose claims still hold, with all that belongs to each, in one transaction.

        Where no webhook is to be disabled, which is nearly always, that is one statement a day and needs no more.
        """
        # A day is a partition. No order is needed against deadlocks: a row is locked only under its own claim.
        by_day: dict[date, list[Effect]] = defaultdict(list)
        for effect in effects:
            by_day[effect.attempt.delivery.day].append(effect)
        if not any(effect.disable_reason is not None for effect in effects):
            async with self._database.autocommit() as connection:
                return [effect for day, batch in by_day.items() for effect in await _write(connection, day, batch)]
        async with self._database.write() as connection:
            written = [effect for day, batch in by_day.items() for effect in await _write(connection, day, batch)]
            # In one order, because two batches may disable the same webhooks at the same moment.
            for effect in sorted(written, key=_webhook_of):
                if effect.disable_reason is not None:
                    await self._disable(connection, effect, effect.disable_reason)
        return written

    async def _disable(self, connection: WriteConnection, effect: Effect, reason: str) -> None:
        """Disable the webhook of a delivery that failed for good, and tell everybody who should know."""
        delivery = effect.attempt.delivery
        webhook_id = delivery.target.webhook_id
        disabled = await connection.row(_DISABLE, {"id": webhook_id, "reason": reason})
        await self._tell(
            connection,
            delivery.target.workspace_id,
            WebhookEventType.DELIVERY_EXHAUSTED,
            DeliveryExhausted(
                webhook_id=str(webhook_id),
                hook_id=str(delivery.hook_id),
                event_id=str(delivery.happening.event_id),
                event_type=delivery.happening.type,
                attempts=effect.attempt.number,
                reason=reason,
            ),
        )
        if disabled is None:
            return
        changed = WebhookChanged(
            webhook_id=str(webhook_id), name=disabled.name, version=disabled.version, reason=reason, actor=None
        )
        await connection.execute(
            _LOG_ACTIVITY,
            {
                "workspace_id": disabled.workspace_id,
                "actor": ACTOR,
                "action": "webhook.disabled",
                "subject": str(webhook_id),
                "detail": json.dumps({"name": disabled.name, "reason": reason, "hookId": str(delivery.hook_id)}),
            },
        )
        await self._tell(connection, disabled.workspace_id, WebhookEventType.DISABLED, changed)

    async def _tell(
        self, connection: WriteConnection, workspace_id: str, kind: WebhookEventType, data: WebhookEventData
    ) -> None:
        event = WebhookEvent(uuid4(), SOURCE_DISPATCHER, kind, workspace_id, self._clock.now(), data)
        message = encode_webhook_event(event).decode()
        await connection.execute(_TELL, {"topic": WEBHOOKS, "key": workspace_id, "message": message})
        await connection.execute(RING)


def _webhook_of(effect: Effect) -> UUID:
    return effect.attempt.delivery.target.webhook_id


def _key(effect: Effect) -> tuple[UUID, UUID]:
    return effect.attempt.delivery.hook_id, effect.attempt.delivery.claim


async def _write(connection: WriteConnection, day: date, batch: Sequence[Effect]) -> list[Effect]:
    """Write the effects of one day; return those whose claims still held."""
    row = await connection.row(_RECORD, {"day": day, "given": len(batch), "effects": _rows(batch)})
    if row is None or row.written == len(batch):
        return list(batch)
    moved = set(zip(row.hook_ids or (), row.claims or (), strict=True))
    return [effect for effect in batch if _key(effect) in moved]


def _rows(effects: Sequence[Effect]) -> str:
    """Return the effects as a JSON array of objects, named as the statement names them."""
    return orjson.dumps([_row(effect) for effect in effects], default=str).decode()


def _row(effect: Effect) -> dict[str, object]:
    attempt = effect.attempt
    delivery, answer = attempt.delivery, attempt.answer
    return {
        "webhook_id": delivery.target.webhook_id,
        "event_id": delivery.happening.event_id,
        "claim": delivery.claim,
        "hook_id": delivery.hook_id,
        "state": effect.state,
        "wait_s": effect.again_in_s,
        "number": attempt.number,
        "started_at": attempt.started_at,
        "duration_ms": attempt.duration_ms,
        "outcome": answer.outcome,
        "status": answer.status,
        "error": answer.error(),
        "response_head": answer.head,
        "response_body": answer.body,
    }
