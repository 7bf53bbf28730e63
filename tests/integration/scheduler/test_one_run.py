"""One run of every chore, as a real process."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text

from coro_events.migrate import unmigrate
from coro_events.runtime.clock import SystemClock
from coro_events.store.partitions import PARTITIONED_TABLES, existing_days
from coro_events.store.unit import Database
from tests.integration.scheduler.world import environ_of
from tests.support.processes import running

CHORES = [
    "partitions",
    "first-notice",
    "reminder",
    "warning",
    "expiry",
    "failures",
    "sessions",
    "idempotency-keys",
    "old-mails",
    "consistency",
    "mails",
]


async def days_of(database: Database, table: str) -> list[date]:
    async with database.read() as connection:
        return sorted(await existing_days(connection, table))


async def drop_newest(database: Database) -> str:
    """Drop the newest partition of events, so that a chore has something to make; return its name."""
    name = f"events_{(await days_of(database, 'events'))[-1]:%Y%m%d}"
    async with database.write() as connection:
        await connection.execute(text(f"drop table {name}"))
    return name


async def one_run(database_url: str, *arguments: str, exit_code: int = 0, **changes: str) -> str:
    """Run every chore once; return what was written."""
    with running("services.scheduler", "--once", *arguments, environ=environ_of(database_url, **changes)) as process:
        assert await process.ended() == exit_code, process.output()
        return process.output()


def made_in(output: str) -> list[str]:
    """Return the partitions that a run made."""
    made: list[str] = json.loads(output.splitlines()[0])["made"]
    return made


async def test_each_chore_prints_one_json_line(database_url: str, database: Database) -> None:
    name = await drop_newest(database)
    lines = [json.loads(line) for line in (await one_run(database_url)).splitlines()]
    assert [line["chore"] for line in lines] == CHORES
    assert all(line["ok"] for line in lines)
    assert lines[0]["made"] == [name]
    assert lines[0]["dropped"] == []


async def test_partitions_of_that_time_are_made_and_older_ones_dropped_when_a_time_is_given(
    database_url: str, database: Database
) -> None:
    then = SystemClock().now() + timedelta(days=100)
    await one_run(database_url, "--now", then.isoformat())
    for table in PARTITIONED_TABLES:
        days = await days_of(database, table)
        assert days == [then.date() + timedelta(days=offset) for offset in range(-7, 15)], table


async def test_retention_time_is_a_setting(database_url: str, database: Database) -> None:
    today = SystemClock().now().date()
    oldest = (await days_of(database, "events"))[0]
    then = datetime(today.year, today.month, today.day, 12, tzinfo=UTC) + timedelta(days=50)
    await one_run(database_url, "--now", then.isoformat(), CORO_RETENTION_DAYS="100")
    assert (await days_of(database, "events"))[0] == oldest
    await one_run(database_url, "--now", then.isoformat(), CORO_RETENTION_DAYS="40")
    assert (await days_of(database, "events"))[0] == then.date() - timedelta(days=40)


async def test_chore_gives_up_soon_and_succeeds_later_when_a_table_is_busy(
    database_url: str, database: Database
) -> None:
    name = await drop_newest(database)
    async with database.write() as reader:
        await reader.execute(text("select count(*) from events"))
        output = await one_run(database_url, exit_code=1)
        line = next(line for line in map(json.loads, output.splitlines()) if line.get("chore") and "ok" in line)
        assert (line["chore"], line["ok"], line["error"]) == ("partitions", False, "StoreUnavailableError")
        assert line["duration_s"] < 3
        assert '"event": "chore.failed"' in output
    assert made_in(await one_run(database_url)) == [name]


async def test_run_is_refused_with_a_sentence_when_the_schema_is_behind(database_url: str) -> None:
    await asyncio.to_thread(unmigrate, database_url)
    output = await one_run(database_url, exit_code=1)
    assert output.startswith("The database schema is behind the code; run the migrations first: it is at nothing")
    assert output.count("\n") == 1


async def test_run_is_refused_with_a_sentence_when_the_database_is_away() -> None:
    output = await one_run("postgresql://coro:hidden-word@127.0.0.1:1/coro", exit_code=1)
    assert output.startswith("The database is not available")
    assert output.count("\n") == 1
    assert "hidden-word" not in output


async def test_run_is_refused_with_a_sentence_when_a_setting_is_wrong(database_url: str) -> None:
    output = await one_run(database_url, exit_code=2, CORO_RETENTION_DAYS="0")
    assert "CORO_RETENTION_DAYS: Input should be greater than or equal to 1" in output
    assert output.count("\n") == 1


async def test_two_runs_at_once_both_end_well(database_url: str, database: Database) -> None:
    async with database.write() as connection:
        for table in PARTITIONED_TABLES:
            for day in await existing_days(connection, table):
                await connection.execute(text(f"drop table {table}_{day:%Y%m%d}"))
    # Long enough to queue up behind one another.
    outputs = await asyncio.gather(*(one_run(database_url, CORO_SCHEDULER_LOCK_S="10") for _ in range(2)))
    made = [name for output in outputs for name in made_in(output)]
    assert len(made) == len(set(made)) == 3 * 22
