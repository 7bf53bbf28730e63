"""One browser for all tests; each has a workspace, a person and a window of its own."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright

from coro_events.store.engine import make_engine
from coro_events.store.unit import Database
from tests.end_to_end.console import chromium
from tests.end_to_end.console.console import Console, Windows
from tests.end_to_end.stack import Stack
from tests.end_to_end.workspace import Workspace
from tests.support.people import hash_cheaply


@pytest.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    """Start Chromium."""
    path = chromium.executable()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=chromium.flags())
        yield browser
        await browser.close()


@pytest.fixture(scope="package")
def password_hash() -> str:
    """Return the hash of everybody's password."""
    return hash_cheaply()


@pytest.fixture
async def rows(stack: Stack) -> AsyncIterator[Database]:
    """Return the rows behind the console."""
    database = Database(make_engine(stack.database_url, application_name="coro-tests", pool_size=0))
    yield database
    await database.dispose()


@pytest.fixture
async def windows(browser: Browser) -> AsyncIterator[Windows]:
    """Return what opens windows; whatever went wrong in one of them fails the test."""
    windows = Windows(browser)
    yield windows
    await windows.close()
    assert not windows.complaints, "\n".join(windows.complaints)


@pytest.fixture
async def console(stack: Stack, workspace: Workspace, rows: Database, windows: Windows, password_hash: str) -> Console:
    """Return the console of this test's workspace."""
    return Console(
        url=str(stack.api.base_url).rstrip("/"),
        workspace=workspace,
        rows=rows,
        windows=windows,
        password_hash=password_hash,
    )


@pytest.fixture
async def page(console: Console) -> Page:
    """Return a window in which an administrator of the workspace is signed in."""
    return await console.signed_in()
