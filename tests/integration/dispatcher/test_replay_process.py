"""Replays by the dispatcher as a real process: what was missed arrives once, whoever is killed meanwhile."""

import uuid
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from coro_events.contract.envelope import Event
from coro_events.runtime.clock import SystemClock
from coro_events.store.replaying import INCLUDES
from services.api.deliveries.ports import Replay, ReplayState
from services.api.deliveries.sql import SqlReplays
from tests.integration.dispatcher.room import count_updated
from tests.integration.dispatcher.stand import Stand, standing
from tests.support import kafka, postgres
from tests.support.makers import StoredWebhook
from tests.support.processes import Process
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
async def stand(database_admin_url: str, _template_database: str, kafka_bootstrap: str) -> AsyncIterator[Stand]:
    name, topics = postgres.new_name("replay"), kafka.new_topics()
    url = await postgres.create_database(database_admin_url, name, template=_template_database)
    await kafka.create_topics(kafka_bootstrap, topics.all(), partitions=1)
    async with standing(url, kafka_bootstrap, topics) as stand:
        yield stand
    await kafka.delete_topics(kafka_bootstrap, topics.all())
    await postgres.drop_database(database_admin_url, name)


def events_of(workspace_id: str, count: int) -> list[Event]:
    """Make events of this minute."""
    now = SystemClock().now()
    return [count_updated(workspace_id, occurred_at=now - timedelta(milliseconds=number)) for number in range(count)]


async def set_state(stand: Stand, hook: StoredWebhook, state: str) -> None:
    async with stand.database.write() as connection:
        await connection.execute(
            text("update webhooks set state = :state where id = :id"), {"state": state, "id": hook.id}
        )


async def miss(stand: Stand, hook: StoredWebhook, count: int) -> None:
    """Let events come while the webhook is disabled."""
    await set_state(stand, hook, "disabled")
    await stand.emit(*events_of(hook.workspace_id, count))

    async def stored() -> bool:
        query = "select count(*) as events from events where workspace_id = :id"
        return bool((await stand.all(query, id=hook.workspace_id))[0].events == count)

    await wait_until(stored, what="the events to be stored")
    await set_state(stand, hook, "enabled")


async def ask(stand: Stand, hook: StoredWebhook, *, rate_per_s: int) -> uuid.UUID:
    """Ask for a replay of the last hour with the API's own adapter."""
    asked, since = SqlReplays(stand.database), SystemClock().now() - timedelta(hours=1)
    subject = await asked.subject(hook.workspace_id, hook.id)
    assert subject is not None
    counts = await asked.count(subject, since=since, include=INCLUDES)
    replay = Replay(
        id=uuid.uuid4(),
        webhook_id=hook.id,
        workspace_id=hook.workspace_id,
        state=ReplayState.RUNNING,
        since=since,
        include=INCLUDES,
        rate_per_s=rate_per_s,
        expected=counts.total,
        created_at=counts.until,
    )
    async with asked.change() as change:
        await change.insert(replay)
    return replay.id


async def until_done(stand: Stand, replay_id: uuid.UUID) -> None:
    """Wait for the end of a replay, which did what was expected."""

    async def done() -> bool:
        (row,) = await stand.all("select * from replays where id = :id", id=replay_id)
        return bool(row.state == "done" and row.replayed == row.expected)

    await wait_until(done, what="the replay to be done", limit_s=30)


async def until_assigned(process: Process) -> None:
    await wait_until(lambda: process.said("intake.assigned"), what="partitions", limit_s=30)


async def test_missed_events_arrive_once_when_they_are_replayed(stand: Stand) -> None:
    hook = await stand.webhook("/ok/missed", "missed")
    with stand.dispatcher() as process:
        await until_assigned(process)
        await miss(stand, hook, 30)
        assert stand.receiver.of("/ok/missed") == []
        for expected in (30, 0):
            replay_id = await ask(stand, hook, rate_per_s=200)
            (row,) = await stand.all("select expected from replays where id = :id", id=replay_id)
            assert row.expected == expected
            await until_done(stand, replay_id)
        await stand.until_states(hook, *["delivered"] * 30)
        # The proof: what comes after all of it is the only one that comes.
        await stand.emit(*events_of("missed", 1))
        requests = await stand.receiver.until(31, prefix="/ok/missed")
        assert set(Counter(request.hook_id for request in requests).values()) == {1}


async def test_replay_goes_on_when_its_dispatcher_is_killed(stand: Stand) -> None:
    hook = await stand.webhook("/ok/killed", "killed")
    settings = {"dispatcher_lease_s": "3", "dispatcher_deadline_s": "1"}
    with stand.dispatcher(**settings) as first:
        await until_assigned(first)
        await miss(stand, hook, 40)
        replay_id = await ask(stand, hook, rate_per_s=20)
        await stand.receiver.until(5, prefix="/ok/killed")
        first.kill()
    (row,) = await stand.all("select state, replayed from replays where id = :id", id=replay_id)
    assert row.state == "running"
    assert 0 < row.replayed < 40
    with stand.dispatcher(**settings):
        await until_done(stand, replay_id)
        await stand.until_states(hook, *["delivered"] * 40, limit_s=30)
    hooks = Counter(request.hook_id for request in stand.receiver.of("/ok/killed"))
    assert len(hooks) == 40
    # Whatever was sent and not yet recorded when it was killed; never more than one batch.
    assert sum(hooks.values()) - len(hooks) <= 10
