"""Events for the stand: 1 KB each, marked with a number and the moment they were made."""

import asyncio
import time
from datetime import UTC, datetime

from sqlalchemy import text

from coro_events.contract.codec import encode
from coro_events.contract.envelope import Event
from coro_events.contract.protection import ProtectedUsersAdded
from coro_events.contract.triggers import Trigger
from coro_events.runtime.clock import SystemClock
from coro_events.runtime.kafka import make_producer
from tests.support.makers import insert_webhook, insert_workspace, make_vault
from tests.support.stand import Stand

CHILDREN = 100
TRIGGER = Trigger.PROTECTED_USERS_ADDED

# Fills each of four users up, so that a record is about 1 KB.
FILL = "y" * 60


async def make_tree(stand: Stand, paths: list[str], *, strangers: int = 5_000, children: int = CHILDREN) -> None:
    """Make an MSP with children, a webhook on it for each path, and webhooks of others that do not match."""
    await insert_workspace(stand.database, "root")
    async with stand.database.write() as connection:
        await connection.execute(
            text(
                "insert into workspaces (id, parent_id, path, type, display_name, status)"
                " select 'ws' || i, 'root', array['root', 'ws' || i], 'child', 'ws' || i, 'subscription'"
                " from generate_series(0, :last) i"
            ),
            {"last": children - 1},
        )
    vault = make_vault()
    for path in paths:
        await insert_webhook(
            stand.database,
            vault,
            workspace_id="root",
            url=stand.url(path),
            apply_to_all_descendants=True,
            triggers=[trigger.value for trigger in Trigger],
        )
    async with stand.database.write() as connection:
        await connection.execute(
            text(
                "insert into workspaces (id, path, type, display_name) select 'o' || i, array['o' || i], 'regular', 'o'"
                " from generate_series(1, :strangers) i"
            ),
            {"strangers": strangers},
        )
        await connection.execute(
            text(
                "insert into webhooks (id, workspace_id, version, name, url, apply_to_all_descendants, triggers,"
                " secret_sealed) select gen_random_uuid(), 'o' || i, 1, 'o', 'http://127.0.0.1:9/', false,"
                " array['protected-users-added'], '\\x00' from generate_series(1, :strangers) i"
            ),
            {"strangers": strangers},
        )
    async with stand.database.autocommit() as connection:
        await connection.execute(text("analyze"))


def make_marked_event(number: int, *, workspaces: int = CHILDREN) -> Event:
    """Make the event with this number, made now; its workspace is one of the first so many in turn."""
    made_us = time.time_ns() // 1000
    mark = f"n={number};t={made_us};"
    users = [
        {
            "id": f"62ff9653efef4b3ae04ab25{i}",
            "email": f"user{i}@trade.example.com",
            "name": mark + FILL,
            "protectedUser": True,
        }
        for i in range(4)
    ]
    workspace_id = f"ws{number % workspaces}"
    return Event(
        source="coro/bench",
        source_id=str(number),
        trigger=TRIGGER,
        workspace_id=workspace_id,
        occurred_at=datetime.fromtimestamp(made_us / 1e6, UTC),
        data=ProtectedUsersAdded.model_validate({"users": users}).to_bytes(),
    )


async def produce(
    stand: Stand, count: int, *, rate_per_s: float | None = None, first: int = 0, workspaces: int = CHILDREN
) -> None:
    """Send events, as fast as Kafka takes them or at a steady rate; returns when all are acknowledged."""
    producer = make_producer(stand.kafka_bootstrap, client_id="bench", linger_ms=0 if rate_per_s else 5)
    await producer.start()
    clock = SystemClock()
    started = clock.monotonic()
    waiting = []
    try:
        for number in range(first, first + count):
            if rate_per_s:
                await clock.sleep(max(0.0, started + (number - first) / rate_per_s - clock.monotonic()))
            key, value, headers = encode(make_marked_event(number, workspaces=workspaces))
            waiting.append(await producer.send(stand.topic("coro.events"), value, key, headers=list(headers)))
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()
