"""Webhooks, their changes and their tests in PostgreSQL."""

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from pydantic_core import from_json
from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, insert, literal, or_, select, text, update
from sqlalchemy.exc import IntegrityError

from coro_events.contract.topics import WEBHOOKS
from coro_events.contract.triggers import Trigger
from coro_events.contract.webhook_events import WebhookEvent, encode_webhook_event
from coro_events.rules.deliveries import DeliveryState
from coro_events.rules.releasing import VersionLife
from coro_events.rules.webhooks import WebhookState
from coro_events.store.outbox import RING
from coro_events.store.releasing import read_lives
from coro_events.store.tables import activity_log, outbox, webhook_versions, webhooks
from coro_events.store.unit import Database, ReadConnection, WriteConnection
from services.api.idempotency.ports import KeptAnswer
from services.api.idempotency.sql import keep_answer
from services.api.refusals import NameTaken
from services.api.webhooks.ports import ALL, Activity, Delivery, Order, Sought, TestDelivery, Webhook, WebhookChange

_c = webhooks.c
_UNIQUE_NAME = "uq_webhooks_workspace_id_name"
# With the workspace's hash, names the lock behind which names and numbers of webhooks are claimed.
_RESERVE_LOCK = 1_464_881_218

_ORDERS = {
    Order.CREATED: (_c.created_at, _c.id),
    Order.CREATED_DOWN: (_c.created_at.desc(), _c.id),
    Order.UPDATED: (_c.updated_at, _c.id),
    Order.UPDATED_DOWN: (_c.updated_at.desc(), _c.id),
    Order.NAME: (func.lower(_c.name), _c.id),
    Order.NAME_DOWN: (func.lower(_c.name).desc(), _c.id),
}

# One index look a partition and webhook; tests are few, so hardly any row is passed over.
_LAST_DELIVERIES = text("""
    select w.id as webhook_id, d.hook_id, d.state, d.attempts, d.created_at, d.finished_at
    from unnest(cast(:webhook_ids as uuid[])) as w(id)
    cross join lateral (
        select hook_id, state, attempts, created_at, finished_at from deliveries
        where webhook_id = w.id and kind = 'event' order by created_at desc limit 1
    ) d
""")

_ATTEMPT = """
    left join lateral (
        select started_at, duration_ms, outcome, status, error, response_head, response_body from attempts
        where day = d.day and hook_id = d.hook_id order by number desc limit 1
    ) a on true
"""
_TEST_COLUMNS = """
    d.hook_id, d.state, a.started_at, a.duration_ms, a.outcome, a.status, a.error, a.response_head, a.response_body
"""
_TEST_RESULT = text(f"""
    select {_TEST_COLUMNS} from deliveries d {_ATTEMPT}
    where d.day = :day and d.webhook_id = :webhook_id and d.event_id = :test_id
""")  # noqa: S608 - only constants of this file are put together
# Bounded: a busy webhook has millions of deliveries, and no index knows which of them are tests.
_LAST_TEST = text(f"""
    select {_TEST_COLUMNS}
    from (select * from deliveries where webhook_id = :webhook_id order by created_at desc limit 1000) d {_ATTEMPT}
    where d.kind = 'test' order by d.created_at desc limit 1
""")  # noqa: S608 - only constants of this file are put together


def _select() -> Select[Any]:
    old = webhooks.alias("old")
    replaces = select(old.c.id).where(old.c.replaced_by == _c.id).limit(1).correlate(webhooks).scalar_subquery()
    return select(webhooks, webhook_versions.c.expires_at, replaces.label("replaces")).select_from(
        webhooks.join(webhook_versions, webhook_versions.c.version == _c.version)
    )


# Made once: its alias has a column object for each of the table's, which cost more than the query.
_WEBHOOKS = _select()


class SqlWebhooks:
    """The webhooks on record, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def change(self) -> AsyncIterator[WebhookChange]:
        """Open a transaction that ends with the block."""
        async with self._database.write() as connection:
            yield SqlWebhookChange(connection)

    async def versions(self) -> list[VersionLife]:
        """Return the lives of all versions."""
        async with self._database.read() as connection:
            return await read_lives(connection)

    async def page(
        self, workspace_id: str, *, page: int, page_size: int, order: Order, sought: Sought = ALL
    ) -> tuple[list[Webhook], int]:
        """Return one page of a workspace's webhooks, and how many there are."""
        here = and_(_c.workspace_id == workspace_id, *_conditions(sought))
        statement = _WEBHOOKS.where(here).order_by(*_ORDERS[order]).limit(page_size).offset(page * page_size)
        async with self._database.read() as connection:
            total: int = await connection.scalar(select(func.count()).select_from(webhooks).where(here))
            return [_webhook(row) for row in await connection.rows(statement)], total

    async def one(self, workspace_id: str, webhook_id: uuid.UUID) -> Webhook | None:
        """Return a webhook of a workspace."""
        async with self._database.read() as connection:
            row = await connection.row(_WEBHOOKS.where(_c.id == webhook_id, _c.workspace_id == workspace_id))
        return None if row is None else _webhook(row)

    async def draft_of(self, webhook_id: uuid.UUID) -> uuid.UUID | None:
        """Return the draft of a webhook."""
        async with self._database.read() as connection:
            return await _draft_of(connection, webhook_id)

    async def last_deliveries(self, webhook_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, Delivery]:
        """Return the latest delivery of an event, for each webhook that has one."""
        if not webhook_ids:
            return {}
        async with self._database.read() as connection:
            rows = await connection.rows(_LAST_DELIVERIES, {"webhook_ids": list(webhook_ids)})
        return {
            row.webhook_id: Delivery(
                hook_id=row.hook_id,
                state=DeliveryState(row.state),
                attempts=row.attempts,
                created_at=row.created_at,
                finished_at=row.finished_at,
            )
            for row in rows
        }


class SqlWebhookChange:
    """One transaction that changes webhooks."""

    def __init__(self, connection: WriteConnection) -> None:
        self._connection = connection

    async def reserve(self, workspace_id: str) -> int:
        """Keep others from adding, renaming or swapping webhooks of a workspace; return how many live ones it has."""
        lock = func.pg_advisory_xact_lock(func.hashtextextended(workspace_id, _RESERVE_LOCK))
        await self._connection.execute(select(lock))
        lives = (_c.draft_of.is_(None), _c.replaced_by.is_(None), _c.state != WebhookState.EXPIRED.value)
        count = select(func.count()).select_from(webhooks).where(_c.workspace_id == workspace_id, *lives)
        total: int = await self._connection.scalar(count)
        return total

    async def lock(self, workspace_id: str, webhook_id: uuid.UUID) -> Webhook | None:
        """Return a webhook as it stands, and keep others from changing it."""
        here = _WEBHOOKS.where(_c.id == webhook_id, _c.workspace_id == workspace_id)
        row = await self._connection.row(here.with_for_update(of=webhooks))
        return None if row is None else _webhook(row)

    async def find(self, workspace_id: str, webhook_id: uuid.UUID) -> Webhook | None:
        """Return a webhook as it stands; others may change it meanwhile."""
        row = await self._connection.row(_WEBHOOKS.where(_c.id == webhook_id, _c.workspace_id == workspace_id))
        return None if row is None else _webhook(row)

    async def lock_all(self, workspace_id: str, webhook_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, Webhook]:
        """Return those of these webhooks that there are, and keep others from changing them; in order of their ids."""
        here = _WEBHOOKS.where(_c.id.in_(webhook_ids), _c.workspace_id == workspace_id).order_by(_c.id)
        rows = await self._connection.rows(here.with_for_update(of=webhooks))
        return {row.id: _webhook(row) for row in rows}

    async def draft_of(self, webhook_id: uuid.UUID) -> uuid.UUID | None:
        """Return the draft of a webhook."""
        return await _draft_of(self._connection, webhook_id)

    async def insert(self, webhook: Webhook) -> None:
        """Add a webhook, or raise NameTaken."""
        await self._write(insert(webhooks).values(id=webhook.id, created_at=webhook.created_at, **_values(webhook)))

    async def update(self, webhook: Webhook) -> None:
        """Replace a locked webhook, or raise NameTaken."""
        await self._write(update(webhooks).where(_c.id == webhook.id).values(**_values(webhook)))

    async def _write(self, statement: Any) -> None:
        try:
            await self._connection.execute(statement)
        except IntegrityError as error:
            if _UNIQUE_NAME in str(error.orig):
                raise NameTaken from error
            raise

    async def delete(self, webhook_id: uuid.UUID) -> None:
        """Remove a locked webhook; the foreign keys remove its draft and set free what it has replaced."""
        try:
            await self._write(delete(webhooks).where(_c.id == webhook_id))
        except NameTaken as error:
            what = "what it replaced would stand by itself again; remove that one first, or rename the other one"
            raise NameTaken(what) from error

    async def record(self, activity: Activity) -> None:
        """Write a line of the activity log."""
        await record_activity(self._connection, activity)

    async def publish(self, event: WebhookEvent) -> None:
        """Leave a message in the outbox."""
        message = from_json(encode_webhook_event(event))
        await self._connection.execute(
            insert(outbox).values(topic=WEBHOOKS, key=event.workspace_id, message=message, created_at=event.occurred_at)
        )
        # Delivered at the commit, so the relay finds the message when it looks.
        await self._connection.execute(RING)

    async def keep(self, answer: KeptAnswer) -> None:
        """Keep the answer to the request of an idempotency key, or raise StillUnderWay."""
        await keep_answer(self._connection, answer)


async def record_activity(connection: WriteConnection, activity: Activity) -> None:
    """Write a line of the activity log, whatever it is about."""
    await connection.execute(
        insert(activity_log).values(
            workspace_id=activity.workspace_id,
            at=activity.at,
            actor=activity.actor,
            action=activity.action,
            subject=activity.subject,
            detail=dict(activity.detail),
        )
    )


class SqlTestResults:
    """What became of tests, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def result(self, webhook_id: uuid.UUID, test_id: uuid.UUID, asked_at: datetime) -> TestDelivery | None:
        """Return what is known of a test, by its primary key."""
        day = asked_at.astimezone(UTC).date()
        return await self._read(_TEST_RESULT, {"day": day, "webhook_id": webhook_id, "test_id": test_id})

    async def last(self, webhook_id: uuid.UUID) -> TestDelivery | None:
        """Return the latest test among the latest thousand deliveries."""
        return await self._read(_LAST_TEST, {"webhook_id": webhook_id})

    async def _read(self, statement: Any, params: Mapping[str, Any]) -> TestDelivery | None:
        async with self._database.read() as connection:
            row = await connection.row(statement, params)
        if row is None:
            return None
        return TestDelivery(
            id=row.hook_id,
            state=DeliveryState(row.state),
            started_at=row.started_at,
            duration_ms=row.duration_ms,
            outcome=row.outcome,
            status=row.status,
            error=row.error,
            response_head=row.response_head,
            response_body=row.response_body,
        )


def _conditions(sought: Sought) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if sought.search is not None:
        # Not `like`: a per cent sign in what is searched for is one in the name.
        text_sought = func.lower(literal(sought.search))
        holds = (func.strpos(func.lower(column), text_sought) > 0 for column in (_c.name, _c.description, _c.url))
        conditions.append(or_(*holds))
    if sought.state is not None:
        conditions.append(_c.state == sought.state.value)
    if sought.trigger is not None:
        conditions.append(_c.triggers.contains([sought.trigger.value]))
    return conditions


async def _draft_of(connection: ReadConnection, webhook_id: uuid.UUID) -> uuid.UUID | None:
    draft_id: uuid.UUID | None = await connection.scalar(select(_c.id).where(_c.draft_of == webhook_id))
    return draft_id


def _webhook(row: Row[Any]) -> Webhook:
    values: dict[str, Any] = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    values |= {"triggers": tuple(Trigger(slug) for slug in row.triggers), "state": WebhookState(row.state)}
    return Webhook(**values)


def _values(webhook: Webhook) -> dict[str, Any]:
    """Return the columns that an insert and an update write alike."""
    return {
        "workspace_id": webhook.workspace_id,
        "version": webhook.version,
        "name": webhook.name,
        "description": webhook.description,
        "url": webhook.url,
        "apply_to_all_descendants": webhook.apply_to_all_descendants,
        "triggers": [trigger.value for trigger in webhook.triggers],
        "secret_sealed": webhook.secret_sealed,
        "headers_sealed": webhook.headers_sealed,
        "previous_secret_sealed": webhook.previous_secret_sealed,
        "previous_secret_until": webhook.previous_secret_until,
        "state": webhook.state.value,
        "disabled_reason": webhook.disabled_reason,
        "draft_of": webhook.draft_of,
        "replaced_by": webhook.replaced_by,
        "shadow_url": webhook.shadow_url,
        "revision": webhook.revision,
        "updated_at": webhook.updated_at,
    }
