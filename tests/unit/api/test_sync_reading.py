"""A sync whose client does not go on: nothing is written, and the next one may begin."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, cast

from starlette.requests import ClientDisconnect

from services.api.access.roles import Role
from services.api.access.service import Caller
from services.api.workspaces.sync import Syncs
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from services.api.workspaces.ports import WorkspaceStore

CALLER = Caller(client_id="keeper", workspace_id="acme", role=Role.SERVICE)


async def broken_off() -> AsyncIterator[bytes]:
    yield b'{"id":'
    raise ClientDisconnect


async def silent() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


async def ends(syncs: Syncs, body: AsyncIterator[bytes]) -> list[str | None]:
    """Return the details of what is told; the store is never asked."""
    return [progress.detail async for progress in syncs.begin(CALLER, body)]


async def test_next_sync_may_begin_when_one_broke_off_or_fell_silent() -> None:
    syncs = Syncs(store=cast("WorkspaceStore", None), clock=FakeClock(), patience_s=0.01)
    assert await ends(syncs, broken_off()) == ["It broke off."]
    assert await ends(syncs, silent()) == ["Nothing came for 0.01 seconds."]
    given_up = syncs.begin(CALLER, broken_off())
    await given_up.aclose()
    assert await ends(syncs, broken_off()) == ["It broke off."]
