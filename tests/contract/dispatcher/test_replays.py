"""What every adapter of `Replays` promises when nobody asked for any."""

from coro_events.store.unit import Database
from services.dispatcher.replay.sql import SqlReplays
from tests.support.clock import FakeClock
from tests.support.fakes import FakeReplays, FakeStore


async def test_no_step_is_taken_when_nothing_is_due(real_database: Database | None, clock: FakeClock) -> None:
    if real_database is None:
        assert await FakeReplays(FakeStore(clock)).step() is None
    else:
        assert await SqlReplays(database=real_database, clock=clock).step() is None
