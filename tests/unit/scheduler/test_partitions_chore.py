"""The chore of partitions, on the fake store that keeps the promises of the real one."""

from datetime import UTC, date, datetime, timedelta

import pytest

from coro_events.errors import StoreUnavailableError
from services.scheduler.chores.partitions import Partitions
from tests.support.scheduler import FakePartitionStore

NOW = datetime(2026, 3, 2, 23, 59, tzinfo=UTC)


def days_of(store: FakePartitionStore) -> list[str]:
    return sorted({name[-8:] for name in store.names})


async def test_partitions_move_along_when_a_month_passes() -> None:
    store = FakePartitionStore()
    chore = Partitions(store, retention_days=30)
    for day in range(40):
        await chore.run_once(NOW + timedelta(days=day))
    assert days_of(store)[0] == "20260311"
    assert days_of(store)[-1] == "20260424"
    assert len(days_of(store)) == 30 + 1 + 14


async def test_result_names_what_was_made_and_dropped() -> None:
    store = FakePartitionStore()
    old = await store.make(date(2026, 1, 1), date(2026, 1, 1))
    did = await Partitions(store, retention_days=30).run_once(NOW)
    assert did == {"made": did["made"], "dropped": old}
    assert set(store.names) == {str(name) for name in did["made"]}  # type: ignore[attr-defined] # a list of names


async def test_second_run_of_a_day_does_nothing() -> None:
    chore = Partitions(FakePartitionStore(), retention_days=30)
    await chore.run_once(NOW)
    assert await chore.run_once(NOW) == {"made": [], "dropped": []}


async def test_chore_fails_when_the_tables_are_busy() -> None:
    store = FakePartitionStore()
    store.is_busy = True
    with pytest.raises(StoreUnavailableError):
        await Partitions(store, retention_days=30).run_once(NOW)
