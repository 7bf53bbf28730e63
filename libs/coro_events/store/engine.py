"""Database URLs and engines: time-outs and an application name on every connection."""

import json
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool


def async_url(database_url: str) -> str:
    """Return the SQLAlchemy URL for asyncpg of a plain `postgresql://` one.

    Raises:
        ValueError: The URL is of another scheme.
    """
    parts = urlsplit(database_url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError("CORO_DATABASE_URL must begin with postgresql://")
    return urlunsplit(parts._replace(scheme="postgresql+asyncpg"))


def make_engine(
    database_url: str,
    *,
    application_name: str,
    pool_size: int = 8,
    statement_timeout_s: float = 30.0,
    connect_timeout_s: float = 10.0,
    read_only: bool = False,
    by_index: bool = False,
) -> AsyncEngine:
    """Make an engine with a bounded pool; nothing is connected yet. A pool size of 0 pools nothing.

    One that is read-only takes each statement for itself: a transaction around a single one is two more round trips,
    and PostgreSQL refuses to write all the same.

    One that works by index reads no table from end to end where an index serves, and plans a statement once for all
    values. PostgreSQL plans it while a day's partition is empty, when reading all of it costs nothing, and keeps that
    plan while the day fills.

    JIT is off: the statements are short and many, and compiling one costs more than it ever saves.
    """
    settings = {
        "application_name": application_name,
        "statement_timeout": str(int(statement_timeout_s * 1000)),
        "idle_in_transaction_session_timeout": str(int(statement_timeout_s * 1000)),
        "lock_timeout": str(int(statement_timeout_s * 1000 / 2)),
        "timezone": "UTC",
        "jit": "off",
        "enable_seqscan": "off" if by_index else "on",
        "plan_cache_mode": "force_generic_plan" if by_index else "auto",
        "default_transaction_read_only": "on" if read_only else "off",
    }
    connect = {"timeout": connect_timeout_s, "server_settings": settings}
    url = async_url(database_url)
    if pool_size == 0:
        return create_async_engine(url, poolclass=NullPool, connect_args=connect, json_serializer=_json)
    isolation = {"isolation_level": "AUTOCOMMIT"} if read_only else {}
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=connect_timeout_s,
        pool_pre_ping=False,
        pool_recycle=1800,
        connect_args=connect,
        json_serializer=_json,
        **isolation,
    )


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
