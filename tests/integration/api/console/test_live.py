"""Deliveries as they happen, over a real server: told, bound to the session, and over when the process stops."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import delete

from coro_events.runtime.clock import SystemClock
from coro_events.runtime.ops import serve
from coro_events.store.tables import sessions
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.api.app import make_rooms, make_web
from services.api.edge import Edge
from services.api.metrics import Metrics
from services.api.rooms import Rooms
from services.api.settings import ApiSettings
from services.api.streams import HEARTBEAT_S
from tests.integration.api.console.browsing import Browser
from tests.integration.api.console.seen import NASTY, insert_delivered, page_of
from tests.support.clock import FakeClock
from tests.support.makers import StoredWebhook, insert_webhook
from tests.support.processes import free_port
from tests.support.resolving import FakeResolver
from tests.support.waiting import wait_until

LIMIT_S = 20


class Stream:
    """The events of a page that is open."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def next(self) -> tuple[str, str]:
        """Return name and data of the next event."""
        name = ""
        async with asyncio.timeout(LIMIT_S):
            async for line in self._lines:
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                if line.startswith("data: "):
                    return name, line.removeprefix("data: ")
        return "", ""

    async def rows(self) -> list[tuple[str, str]]:
        """Return id and text of the rows that are told next."""
        name, data = await self.next()
        assert name == "shown"
        found: list[tuple[str, str]] = json.loads(data)
        return found


@pytest.fixture
def live_clock() -> SystemClock:
    """Return the real clock: what is tested is that nothing has to be waited for long."""
    return SystemClock()


@pytest.fixture
async def rooms(
    settings: ApiSettings, database: Database, live_clock: SystemClock, resolver: FakeResolver, stopping: asyncio.Event
) -> Rooms:
    return make_rooms(settings, database=database, clock=live_clock, resolver=resolver, stopping=stopping)


@pytest.fixture
def registry() -> CollectorRegistry:
    """Return where requests are measured."""
    return CollectorRegistry()


@pytest.fixture
async def served(
    rooms: Rooms, live_clock: SystemClock, stopping: asyncio.Event, registry: CollectorRegistry, tree: None
) -> AsyncIterator[Browser]:
    """Serve the console on a port; return a browser in which an administrator is signed in."""
    del tree
    port = free_port()
    app = Edge(make_web(rooms), clock=live_clock, metrics=Metrics(registry))
    serving = asyncio.ensure_future(serve(app, host="127.0.0.1", port=port, stopping=stopping))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=LIMIT_S) as http:
        browser = Browser(http)
        http.headers["Origin"] = f"http://127.0.0.1:{port}"

        async def is_up() -> bool:
            try:
                return (await http.get("/portal/sign-in")).is_success
            except httpx.TransportError:
                return False

        await wait_until(is_up, what="the console to be served")
        await sign_in(browser)
        yield browser
    stopping.set()
    await serving


async def sign_in(browser: Browser) -> None:
    from_here = {"Origin": browser.http.headers["Origin"]}
    fields = {"email": "administrator@acme.example", "password": "correct horse battery staple"}
    answer = await browser.http.post("/portal/sign-in", data=fields, headers=from_here)
    assert answer.status_code == 303, answer.text


@pytest.fixture
async def webhook(database: Database, vault: Vault, served: Browser) -> StoredWebhook:
    del served
    return await insert_webhook(database, vault, name="Billing")


@asynccontextmanager
async def opened(browser: Browser, webhook: StoredWebhook, **query: Any) -> AsyncIterator[Stream]:
    async with browser.http.stream("GET", page_of(webhook, "live"), params=query) as answer:
        yield Stream(answer)


async def test_new_delivery_is_told_by_itself_and_as_text(
    served: Browser, webhook: StoredWebhook, database: Database, clock: FakeClock
) -> None:
    async with opened(served, webhook) as stream:
        headers = stream.answer.headers
        assert headers["content-type"].startswith("text/event-stream")
        assert headers["x-accel-buffering"] == "no"
        assert "no-store" in headers["cache-control"]
        assert await stream.rows() == []
        hook_id = await insert_delivered(database, webhook, clock, event={"type": NASTY})
        ((row_id, html),) = await stream.rows()
        assert row_id == str(hook_id)
        assert "Delivered" in html
        assert "<script" not in html


async def test_filters_of_the_page_hold_for_what_is_told(
    served: Browser, webhook: StoredWebhook, database: Database, clock: FakeClock
) -> None:
    async with opened(served, webhook, state="failed") as stream:
        assert await stream.rows() == []
        await insert_delivered(database, webhook, clock)
        failed = await insert_delivered(database, webhook, clock, state="failed", attempt={"outcome": "gone"})
        assert [row_id for row_id, _ in await stream.rows()] == [str(failed)]


async def test_stream_ends_when_the_reader_goes_away(served: Browser, webhook: StoredWebhook, rooms: Rooms) -> None:
    async with opened(served, webhook) as stream:
        await stream.rows()
        assert rooms.live.open == 1
    await wait_until(lambda: rooms.live.open == 0, what="the stream to be over")


async def test_stream_does_not_count_as_a_slow_request(
    served: Browser, webhook: StoredWebhook, rooms: Rooms, registry: CollectorRegistry, database: Database
) -> None:
    async with opened(served, webhook) as stream:
        await stream.rows()
        begun_s = rooms.front.clock.monotonic()
        await insert_delivered(database, webhook, FakeClock(rooms.front.clock.now()))
        await stream.rows()
        lasted_s = rooms.front.clock.monotonic() - begun_s
    await wait_until(lambda: rooms.live.open == 0, what="the stream to be over")

    def took_s() -> list[float]:
        samples = [sample for metric in registry.collect() for sample in metric.samples]
        return [one.value for one in samples if one.name.endswith("_sum") and "/live" in one.labels.get("route", "")]

    (sum_s,) = await wait_until(took_s, what="the request to be told")
    assert sum_s < lasted_s


async def test_stream_ends_when_the_process_stops(
    served: Browser, webhook: StoredWebhook, rooms: Rooms, stopping: asyncio.Event
) -> None:
    async with opened(served, webhook) as stream:
        await stream.rows()
        stopping.set()
        assert await stream.next() == ("", "")
    await wait_until(lambda: rooms.live.open == 0, what="the stream to be over", limit_s=HEARTBEAT_S)


async def test_stream_ends_for_good_when_the_session_is_over(
    served: Browser, webhook: StoredWebhook, database: Database
) -> None:
    async with opened(served, webhook) as stream:
        await stream.rows()
        async with database.write() as connection:
            await connection.execute(delete(sessions))
        assert await stream.next() == ("over", "ended")


async def test_stream_of_another_tree_is_refused(served: Browser, database: Database, vault: Vault) -> None:
    foreign = await insert_webhook(database, vault, workspace_id="rival")
    assert (await served.get(page_of(foreign, "live"))).status_code == 404
    assert (await served.get(page_of(foreign, "live"), params={"workspace": "rival"})).status_code == 403
