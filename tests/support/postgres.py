"""Databases for tests: one migrated template a run, and copies of it that are emptied and lent again."""

import asyncio
import uuid
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import text

from coro_events.migrate import migrate
from coro_events.store.engine import make_engine
from coro_events.store.unit import Database

Result = TypeVar("Result")


def url_of(admin_url: str, name: str) -> str:
    """Return the address of another database on the same server."""
    return urlunsplit(urlsplit(admin_url)._replace(path=f"/{name}"))


def new_name(kind: str) -> str:
    """Return a database name that no other run uses."""
    return f"coro_{kind}_{uuid.uuid4().hex[:16]}"


async def create_database(admin_url: str, name: str, *, template: str = "template0") -> str:
    """Create a database and return its address."""
    # Without fsync, copying the files is five times as fast as writing every page of them to the log.
    await _run(admin_url, f'create database "{name}" template "{template}" strategy file_copy')
    return url_of(admin_url, name)


async def drop_database(admin_url: str, name: str) -> None:
    """Drop a database, ending whoever still uses it."""
    await _run(admin_url, f'drop database if exists "{name}" with (force)')


def create_template(admin_url: str) -> str:
    """Create and migrate a database that tests copy; return its name."""
    name = new_name("template")
    url = in_own_loop(create_database(admin_url, name))
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(migrate, url).result()
    return name


def in_own_loop(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine outside of the loop of the tests."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()


async def _run(admin_url: str, statement: str) -> None:
    database = Database(make_engine(admin_url, application_name="coro-tests-admin", pool_size=0))
    async with database.autocommit() as connection:
        await connection.execute(text(statement))
    await database.dispose()
