"""What every adapter of `Replays` promises."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert

from coro_events.errors import StoreUnavailableError
from coro_events.store.engine import make_engine
from coro_events.store.replaying import INCLUDES, first_day_of
from coro_events.store.tables import replays as table
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.dispatcher.replay.ports import Replays, Step
from services.dispatcher.replay.sql import SqlReplays
from tests.contract.dispatcher.worlds import forget_everything
from tests.support.clock import START, FakeClock
from tests.support.fakes import FakeReplays, FakeStore
from tests.support.makers import insert_webhook, insert_workspace

NOWHERE = "postgresql://nobody@127.0.0.1:9/none"
MOST_STEPS = 10


async def test_no_step_is_taken_when_nothing_is_due(real_database: Database | None, clock: FakeClock) -> None:
    replays: Replays = FakeReplays(FakeStore(clock))
    if real_database is not None:
        replays = SqlReplays(database=real_database, clock=clock)
    assert await replays.step() is None


async def test_outage_is_told_as_such_when_the_store_is_away(real_database: Database | None, clock: FakeClock) -> None:
    replays: Replays = FakeReplays(FakeStore(clock, is_away=True))
    if real_database is not None:
        absent = Database(make_engine(NOWHERE, application_name="coro-tests", pool_size=0))
        replays = SqlReplays(database=absent, clock=clock)
    with pytest.raises(StoreUnavailableError):
        await replays.step()


async def test_steps_go_on_until_one_is_done_and_then_nothing_is_due(
    real_database: Database | None, clock: FakeClock, vault: Vault
) -> None:
    replay_id, webhook_id = uuid4(), uuid4()
    fake = FakeReplays(FakeStore(clock))
    fake.steps = [Step(replay_id, webhook_id, 0, state) for state in ("running", "running", "done")]
    replays: Replays = fake
    if real_database is not None:
        await _ask(real_database, vault, replay_id, webhook_id)
        replays = SqlReplays(database=real_database, clock=clock)
    taken: list[Step] = []
    while (step := await replays.step()) is not None and len(taken) < MOST_STEPS:
        taken.append(step)
    assert {(step.replay_id, step.webhook_id, step.replayed) for step in taken} == {(replay_id, webhook_id, 0)}
    assert [step.state for step in taken] == ["running"] * (len(taken) - 1) + ["done"]


async def _ask(database: Database, vault: Vault, replay_id: UUID, webhook_id: UUID) -> None:
    """Ask for a replay that finds nothing to take."""
    await forget_everything(database)
    await insert_workspace(database, "acme")
    await insert_webhook(database, vault, id=webhook_id)
    values = {
        "id": replay_id,
        "webhook_id": webhook_id,
        "workspace_id": "acme",
        "includes": list(INCLUDES),
        "since": START,
        "rate_per_s": 200,
        "cursor_day": first_day_of(START),
        "cursor_at": START,
        "cursor_id": UUID(int=0),
    }
    async with database.write() as connection:
        await connection.execute(insert(table).values(values))
