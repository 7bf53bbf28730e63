"""Copies of the migrated template that one test after the other uses: emptying one is cheaper than a new one."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from coro_events.errors import StoreUnavailableError
from coro_events.store.engine import make_engine
from coro_events.store.tables import metadata
from coro_events.store.unit import Database, WriteConnection
from tests.support import postgres

# A database that grew beyond this by a test's rows is not worth emptying.
LARGEST_GROWTH_BYTES = 16 * 1024 * 1024
END_LIMIT_MS = 10_000

# Any statement that defines something writes a row of these, with a higher transaction number than those before.
_DEFINED = text(
    " union all ".join(
        f"select '{catalog}', count(*), max(xmin::text::bigint) from {catalog}"  # noqa: S608 - names of our own
        for catalog in ("pg_class", "pg_attribute", "pg_constraint", "pg_index", "pg_trigger", "pg_proc")
    )
)
_END_OTHERS = text(
    "with others as materialized (select pid from pg_stat_activity where datname = current_database()"
    " and pid <> pg_backend_pid() and backend_type = 'client backend')"
    " select pid from others where not pg_terminate_backend(pid, :limit_ms)"
)
_SIZE = text("select pg_database_size(current_database())")
# Tables without a page have no row, and of a partitioned table each partition counts for itself.
_FILLED = text(
    "select relid::regclass::text from unnest(cast(:names as text[])) with ordinality as tables (name, place),"
    " lateral (select relid from pg_partition_tree(name::regclass) where isleaf union select name::regclass) as leaves"
    " where pg_relation_size(relid) > 0 order by place"
)
_RESTART = text(
    "select setval(oid::regclass, 1, false) from pg_class where relkind = 'S' and relnamespace = 'public'::regnamespace"
)


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A copy as it was made: what is defined, its size, and the rows that come with the migrations."""

    defined: list[tuple[Any, ...]]
    size: int
    rows: dict[str, str]


class Databases:
    """Lends migrated databases, each to one borrower at a time."""

    def __init__(self, admin_url: str, template: str) -> None:
        self._admin_url = admin_url
        self._template = template
        self._free: list[str] = []
        self._all: dict[str, tuple[Database, _Fresh]] = {}

    async def lend(self) -> str:
        """Return the name of a database that is as the migrations leave it."""
        return self._free.pop() if self._free else await self._make()

    async def take_back(self, name: str) -> None:
        """Empty a database for the next one; drop it when it was changed in another way than by rows."""
        try:
            emptied = await self._emptied(name)
        except StoreUnavailableError:
            # The borrower has ended our session among others.
            emptied = False
        if emptied:
            self._free.append(name)
        else:
            await self._drop(name)

    async def close(self) -> None:
        """Drop all of them."""
        for name in list(self._all):
            await self._drop(name)

    async def _make(self) -> str:
        name = postgres.new_name("test")
        url = await postgres.create_database(self._admin_url, name, template=self._template)
        database = Database(make_engine(url, application_name="coro-tests-emptying", pool_size=1))
        async with database.write() as connection:
            fresh = _Fresh(await _defined(connection), await connection.scalar(_SIZE), await _rows(connection))
        self._all[name] = database, fresh
        return name

    async def _drop(self, name: str) -> None:
        database, _ = self._all.pop(name)
        await database.dispose()
        await postgres.drop_database(self._admin_url, name)

    async def _emptied(self, name: str) -> bool:
        database, fresh = self._all[name]
        async with database.write() as connection:
            # A session that does not end would hold its locks.
            if (await connection.execute(_END_OTHERS, {"limit_ms": END_LIMIT_MS})).all():
                return False
            if await _defined(connection) != fresh.defined:
                return False
            if await connection.scalar(_SIZE) > fresh.size + LARGEST_GROWTH_BYTES:
                return False
            for table in await _filled(connection):
                await connection.execute(text(f"delete from {table}"))  # noqa: S608 - a name of the catalog
            for table, rows in fresh.rows.items():
                await connection.execute(
                    text(f"insert into {table} select * from jsonb_populate_recordset(null::{table}, :rows)"),  # noqa: S608
                    {"rows": rows},
                )
            await connection.execute(_RESTART)
        return True


async def _defined(connection: WriteConnection) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.rows(_DEFINED)]


async def _filled(connection: WriteConnection) -> list[str]:
    """Return the tables that may have rows, those that point to others before them."""
    names = [table.name for table in reversed(metadata.sorted_tables)]
    return [row[0] for row in await connection.rows(_FILLED, {"names": [*names, "alembic_version"]})]


async def _rows(connection: WriteConnection) -> dict[str, str]:
    """Return the rows of every table that has some, as JSON."""
    found = {}
    for table in reversed(await _filled(connection)):
        rows = await connection.scalar(text(f"select jsonb_agg(to_jsonb(kept)) from {table} as kept"))  # noqa: S608
        if rows:
            found[table] = json.dumps(rows)
    return found
