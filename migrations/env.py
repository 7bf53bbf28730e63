"""How migrations run: one process at a time, with short lock and statement time-outs, in one transaction each."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text

from coro_events.store.engine import make_engine
from coro_events.store.locks import AdvisoryLock
from coro_events.store.tables import metadata

# A migration that cannot get its lock gives up instead of stopping all traffic behind it.
LOCK_TIMEOUT_MS = 4_000
STATEMENT_TIMEOUT_MS = 60_000


def is_ours(_: object, name: str | None, kind: str, __: object, compare_to: object | None) -> bool:
    """Leave out the daily partitions, which the scheduler makes and drops."""
    return not (kind == "table" and compare_to is None and name is not None and name[-8:].isdigit())


def run(connection: Connection) -> None:
    """Run the migrations on an open connection."""
    connection.execute(text(f"select pg_advisory_lock({AdvisoryLock.MIGRATION})"))
    connection.execute(text(f"set lock_timeout = {LOCK_TIMEOUT_MS}"))
    connection.execute(text(f"set statement_timeout = {STATEMENT_TIMEOUT_MS}"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=is_ours,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    """Open the database that the caller named and migrate it."""
    engine = make_engine(
        context.config.attributes["database_url"],
        application_name="coro-migrate",
        pool_size=0,
        statement_timeout_s=600,
    )
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


asyncio.run(main())
