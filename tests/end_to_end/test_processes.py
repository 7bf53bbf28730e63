"""The processes end as they should, and killed ones lose nothing."""

import asyncio
import signal
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from coro_events.store.tables import attempts
from tests.end_to_end.stack import SERVICES, Stack, running_stack
from tests.end_to_end.workspace import COUNT_UPDATED, Workspace, counts, events
from tests.support.receiver import Receiver
from tests.support.waiting import wait_until

EVENTS = 2_000
LEASE_S, DEADLINE_S, DRAIN_S = 3, 1, 5

# Kafka gives the partitions of a killed replica away when its session is over, 10 s after its last sign of life.
LIMIT_S = 40


@pytest.fixture(scope="module")
async def stack(database_admin_url: str, _template_database: str, kafka_bootstrap: str) -> AsyncIterator[Stack]:
    """Run three processes for these tests alone, because they end them; the last test ends them all."""
    async with running_stack(
        database_admin_url=database_admin_url,
        template=_template_database,
        kafka_bootstrap=kafka_bootstrap,
        CORO_DISPATCHER_LEASE_S=str(LEASE_S),
        CORO_DISPATCHER_DEADLINE_S=str(DEADLINE_S),
        CORO_DISPATCHER_DRAIN_S=str(DRAIN_S),
        CORO_API_DRAIN_S=str(DRAIN_S),
        CORO_SCHEDULER_DRAIN_S=str(DRAIN_S),
    ) as stack:
        yield stack


async def test_every_event_arrives_and_only_unrecorded_ones_twice_when_the_dispatcher_is_killed_in_the_middle(
    stack: Stack, workspace: Workspace, receiver: Receiver
) -> None:
    webhook = await workspace.webhook(receiver.url())
    await receiver.until(1)
    happened = [
        stack.producer.new_event(COUNT_UPDATED, workspace.id, {"protectedCount": number}) for number in range(EVENTS)
    ]
    emitting = asyncio.ensure_future(stack.producer.emit_many(happened))
    await receiver.until(1 + EVENTS // 4)
    stack.processes["dispatcher"].signal(signal.SIGKILL)
    assert await stack.processes["dispatcher"].ended() == -signal.SIGKILL
    assert len(events(receiver.received)) < EVENTS, "it was over before the kill; this proves nothing"
    recorded = await _recorded(stack, webhook)
    stack.start("dispatcher")
    assert await emitting == EVENTS

    await wait_until(
        lambda: len(set(counts(receiver.received))) == EVENTS, what="every event", limit_s=LIMIT_S, every_s=0.1
    )
    hook_ids = defaultdict(list)
    for one in events(receiver.received):
        hook_ids[one.json()["data"]["protectedCount"]].append(one.hook_id)
    assert {len(set(ids)) for ids in hook_ids.values()} == {1}
    assert {len(ids) for ids in hook_ids.values()} <= {1, 2}
    assert not recorded & {ids[0] for ids in hook_ids.values() if len(ids) > 1}


async def _recorded(stack: Stack, webhook: dict[str, Any]) -> set[str]:
    """Return the hook ids whose attempts are written down."""
    async with stack.reading() as connection:
        rows = await connection.rows(select(attempts.c.hook_id).where(attempts.c.webhook_id == UUID(webhook["id"])))
    return {str(row.hook_id) for row in rows}


async def test_each_process_ends_with_0_within_its_drain_deadline_when_it_is_asked_to(
    stack: Stack, workspace: Workspace, receiver: Receiver
) -> None:
    await workspace.webhook(receiver.url("/ok"))
    await workspace.webhook(receiver.url("/hang"))
    await receiver.until(2)
    await workspace.count(1)
    await receiver.until(2, prefix="/hang")
    for service in SERVICES:
        stack.processes[service].signal(signal.SIGTERM)
    for service in SERVICES:
        assert await stack.processes[service].ended(limit_s=DRAIN_S) == 0, service
    # The attempt that was under way went to its end and was recorded.
    dispatcher = stack.processes["dispatcher"]
    assert dispatcher.said("delivery.attempted", outcome="timed_out", type=COUNT_UPDATED.value), dispatcher.output()
