"""A service starts on the schema it was written for, or on a newer one, and on nothing else."""

import asyncio

import pytest
from sqlalchemy import text

from coro_events.errors import SchemaBehindError
from coro_events.migrate import head, require_current_schema, unmigrate
from coro_events.store.engine import make_engine
from coro_events.store.unit import Database


async def test_current_schema_is_accepted(database: Database) -> None:
    await require_current_schema(database)


async def test_database_is_refused_when_it_was_never_migrated(empty_database_url: str) -> None:
    database = Database(make_engine(empty_database_url, application_name="coro-tests"))
    with pytest.raises(SchemaBehindError, match=f"it is at nothing, needed is {head()}"):
        await require_current_schema(database)
    await database.dispose()


async def test_schema_is_refused_when_it_is_one_step_behind(database_url: str, database: Database) -> None:
    await asyncio.to_thread(unmigrate, database_url, revision="-1")
    with pytest.raises(SchemaBehindError, match="run the migrations first"):
        await require_current_schema(database)


async def test_schema_is_accepted_when_its_revision_is_newer_than_the_code(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("update alembic_version set version_num = '9999_from_the_next_release'"))
    await require_current_schema(database)
