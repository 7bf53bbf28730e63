"""Much to show: thousands of webhooks and workspaces, a busy webhook, a long activity log, all in and below `acme`."""

import uuid

from sqlalchemy import text

from coro_events.contract.triggers import Trigger
from coro_events.store.unit import Database

_WORKSPACES = text("""
    insert into workspaces (id, parent_id, path, type, display_name, status)
    select 'customer-' || i, 'acme', array['acme', 'customer-' || i], 'child', 'Customer number ' || i, 'subscription'
    from generate_series(1, 10000) as i
    on conflict do nothing
""")
# A copy of the one that was inserted, which lends it its seals; nobody opens them here.
_WEBHOOKS_HERE = text("""
    insert into webhooks (id, workspace_id, version, name, description, url, apply_to_all_descendants, triggers,
        secret_sealed, state)
    select gen_random_uuid(), w.workspace_id, w.version, 'Webhook number ' || i, repeat('described ', 50),
        w.url || repeat('/long', 200), true, :triggers, w.secret_sealed, 'enabled'
    from webhooks w cross join generate_series(1, 999) as i where w.id = :id
""")
# Two thousand an hour for those on the first page.
_DELIVERIES_HERE = text("""
    insert into deliveries (day, webhook_id, event_id, hook_id, workspace_id, state, due_at, created_at, finished_at)
    select cast(m.at as date), m.id, gen_random_uuid(), gen_random_uuid(), 'acme',
           case when m.i % 10 = 0 then 'failed' else 'delivered' end, m.at, m.at, m.at
    from (
        select w.id, i, now() - i * interval '20 seconds' as at
        from (select id from webhooks order by created_at desc, id limit 12) w cross join generate_series(0, 4000) as i
    ) as m
""")
# One in each of a thousand children; every tenth is disabled.
_WEBHOOKS_BELOW = text("""
    insert into webhooks
        (id, workspace_id, version, name, url, apply_to_all_descendants, triggers, secret_sealed, state)
    select gen_random_uuid(), 'customer-' || i, w.version, 'Webhook number ' || i, w.url, true, w.triggers,
           w.secret_sealed, case when i % 10 = 0 then 'disabled' else 'enabled' end
    from webhooks w cross join generate_series(1, 1000) as i where w.id = :id
""")
# Every third webhook waits for another attempt.
_WAITING = text("""
    insert into deliveries (day, webhook_id, event_id, hook_id, workspace_id, state, attempts, due_at)
    select current_date, w.id, gen_random_uuid(), gen_random_uuid(), w.workspace_id, 'pending', 1,
           now() + interval '1 minute'
    from (select id, workspace_id, row_number() over () as number from webhooks where state = 'enabled') w
    where w.number % 3 = 0
""")
_EVENTS = text("""
    insert into events (day, id, source, source_id, workspace_id, type, occurred_at, received_at, data)
    select cast(now() - i * interval '4 seconds' as date), gen_random_uuid(), 'coro/tests', 'busy-' || i, 'acme',
           'workspace-created', now() - i * interval '4 seconds', now() - i * interval '4 seconds',
           jsonb_build_object('note', repeat('x', 500))
    from generate_series(1, 20000) as i
""")
_DELIVERIES = text("""
    insert into deliveries
        (day, webhook_id, event_id, hook_id, workspace_id, state, attempts, due_at, created_at, finished_at)
    select day, :id, id, gen_random_uuid(), 'acme', 'delivered', 1, occurred_at, occurred_at, occurred_at
    from events where source_id like 'busy-%'
""")
_ATTEMPTS = text("""
    insert into attempts (day, hook_id, number, webhook_id, started_at, duration_ms, outcome, status)
    select day, hook_id, 1, webhook_id, created_at, 20, 'delivered', 200 from deliveries d
    where webhook_id = :id and not exists (select 1 from attempts a where a.hook_id = d.hook_id)
""")
_LOG = text("""
    insert into activity_log (workspace_id, at, actor, action, subject, detail)
    select 'acme', now() - i * interval '1 second', 'user:somebody@acme.example', 'webhook.updated',
           cast(cast(:id as uuid) as text),
           jsonb_build_object('name', repeat('n', 100), 'changed', jsonb_build_array('url', 'secret'))
    from generate_series(1, 50000) as i
""")


async def insert_many_webhooks(database: Database, webhook_id: uuid.UUID) -> None:
    """Insert 10,000 workspaces below `acme`, and 999 webhooks there beside the given one, a dozen of them busy."""
    async with database.write() as connection:
        await connection.execute(_WORKSPACES)
        await connection.execute(_WEBHOOKS_HERE, {"id": webhook_id, "triggers": [trigger.value for trigger in Trigger]})
        await connection.execute(_DELIVERIES_HERE)
    await _analyze(database)


async def insert_busy_past(database: Database, webhook_id: uuid.UUID) -> None:
    """Insert 20,000 deliveries of a day of the given webhook, 1,000 webhooks below `acme`, and 50,000 log lines."""
    async with database.write() as connection:
        await connection.execute(_WORKSPACES)
        await connection.execute(_WEBHOOKS_BELOW, {"id": webhook_id})
        await connection.execute(_WAITING)
        await connection.execute(_EVENTS)
        for statement in (_DELIVERIES, _ATTEMPTS, _LOG):
            await connection.execute(statement, {"id": webhook_id})
    await _analyze(database)


async def _analyze(database: Database) -> None:
    async with database.autocommit() as connection:
        await connection.execute(text("analyze"))
