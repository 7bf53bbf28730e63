"""What tests rely on: each one gets a database as the migrations leave it, whatever the one before did."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, insert, select, text

from coro_events.store.engine import make_engine
from coro_events.store.tables import outbox, webhook_versions, workspaces
from coro_events.store.unit import Database
from tests.support import postgres
from tests.support.emptying import Databases
from tests.support.makers import insert_workspace

END_OTHERS = (
    "select pg_terminate_backend(pid) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
)


@pytest.fixture
async def databases(database_admin_url: str, _template_database: str) -> AsyncIterator[Databases]:
    databases = Databases(database_admin_url, _template_database)
    yield databases
    await databases.close()


def opened(database_admin_url: str, name: str) -> Database:
    url = postgres.url_of(database_admin_url, name)
    return Database(make_engine(url, application_name="coro-tests", pool_size=1))


async def test_rows_are_gone_when_the_next_one_gets_the_database(databases: Databases, database_admin_url: str) -> None:
    name = await databases.lend()
    database = opened(database_admin_url, name)
    await insert_workspace(database, "acme")
    await insert_workspace(database, "acme-east", parent="acme")
    message = {"topic": "coro.webhooks", "key": "acme", "message": {}}
    async with database.write() as connection:
        await connection.execute(text("delete from webhook_versions"))
        first = await connection.scalar(insert(outbox).values(message).returning(outbox.c.id))
    # Its session is still open.
    await databases.take_back(name)
    await database.dispose()

    assert await databases.lend() == name
    database = opened(database_admin_url, name)
    async with database.write() as connection:
        assert await connection.scalar(select(func.count()).select_from(workspaces)) == 0
        assert await connection.scalar(select(func.count()).select_from(outbox)) == 0
        versions = await connection.rows(select(webhook_versions.c.version).order_by(webhook_versions.c.version))
        assert [row.version for row in versions] == [1, 2]
        again = await connection.scalar(insert(outbox).values(message).returning(outbox.c.id))
    assert first == again == 1
    await database.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "create table more (id int)",
        "alter table users alter column email drop not null",
        "drop index ix_webhooks_enabled",
        "truncate workspaces cascade",
        END_OTHERS,
    ],
)
async def test_database_is_not_lent_again_when_more_than_its_rows_changed(
    databases: Databases, database_admin_url: str, statement: str
) -> None:
    name = await databases.lend()
    database = opened(database_admin_url, name)
    async with database.write() as connection:
        await connection.execute(text(statement))
    await database.dispose()
    await databases.take_back(name)
    assert await databases.lend() != name
