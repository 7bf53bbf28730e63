"""A slow client holds its socket and nothing else; what cannot be done for want of connections is told so."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from fastapi import Request
from sqlalchemy import text

from coro_events.errors import StoreUnavailableError
from coro_events.store.engine import make_engine
from coro_events.store.unit import Database
from services.api.bodies import read_body
from services.api.refusals import BodyTooSlow, UnreadableBody
from services.api.webhooks.schemas import SecretRotation
from tests.integration.api.calls import WEBHOOKS, Api

_OPEN = text("select count(*) from pg_stat_activity where datname = current_database() and xact_start is not null")


def request_of(*messages: dict[str, Any]) -> Request:
    """Return a request whose body comes in these messages, and then no more."""
    left = list(messages)

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    headers = [(b"content-type", b"application/json")]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, cast("Any", receive))


async def test_no_transaction_is_open_while_a_body_is_on_its_way(api: Api, database: Database) -> None:
    is_asked, may_go_on = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        is_asked.set()
        await may_go_on.wait()
        yield b"{}"

    headers = {"Content-Type": "application/json"}
    call = asyncio.ensure_future(api.call("POST", WEBHOOKS, content=body(), headers=headers))
    await is_asked.wait()
    async with database.read() as connection:
        # Our own is open, as we look.
        assert await connection.scalar(_OPEN) == 1
    may_go_on.set()

    assert (await call).status_code == 400


async def test_body_is_given_up_when_it_does_not_come_in_time() -> None:
    request = request_of({"type": "http.request", "body": b'{"secret":', "more_body": True})

    with pytest.raises(BodyTooSlow):
        await read_body(request, SecretRotation, limit_s=0.05)


async def test_body_that_breaks_off_is_no_failure_of_ours() -> None:
    request = request_of({"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"})

    with pytest.raises(UnreadableBody):
        await read_body(request, SecretRotation)


async def test_work_is_postponed_when_every_connection_is_in_use(database_url: str) -> None:
    small = Database(make_engine(database_url, application_name="coro-tests", pool_size=1, connect_timeout_s=0.2))
    async with small.read():
        with pytest.raises(StoreUnavailableError):
            async with small.read():
                pass
    async with small.read() as connection:
        assert await connection.scalar(text("select 1")) == 1
    await small.dispose()
