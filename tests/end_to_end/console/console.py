"""What tests do at the console: open windows, sign in, fill in the form of a webhook."""

import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from coro_events.store.unit import Database
from tests.end_to_end.workspace import Workspace
from tests.support.people import PASSWORD, insert_user

WEBHOOKS = "/portal/settings/connectors/webhooks"
WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 390, "height": 844}
LIMIT_MS = 10_000

# A page that answers with such a status is named in the browser's console; here it is what was expected.
_EXPECTED = "Failed to load resource: the server responded with a status of 4"


@dataclass
class Windows:
    """Opens windows and notes what goes wrong in them: errors of scripts, of the policy, requests to elsewhere."""

    browser: Browser
    complaints: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    async def open(self, **options: Any) -> Page:
        """Open a window of a person who was never here."""
        context = await self.browser.new_context(**{"viewport": WIDE, **options})
        context.set_default_timeout(LIMIT_MS)
        self._contexts.append(context)
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.complaints.append(f"script: {error.error}"))
        context.on("request", self._asked)
        return await context.new_page()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_EXPECTED):
            self.complaints.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).hostname not in {"127.0.0.1", "localhost"}:
            self.complaints.append(f"request to elsewhere: {request.url}")

    async def close(self) -> None:
        """Close all windows."""
        for context in self._contexts:
            await context.close()


@dataclass
class Console:
    """The console, in one workspace."""

    url: str
    workspace: Workspace
    rows: Database
    windows: Windows
    password_hash: str

    def at(self, path: str = WEBHOOKS) -> str:
        """Return the whole address of a page about the workspace."""
        joint = "&" if "?" in path else "?"
        return f"{self.url}{path}{joint}workspace={self.workspace.id}"

    async def person(self, role: str = "administrator", **changes: Any) -> str:
        """Make somebody who may sign in; return the email address."""
        email = f"{role}-{uuid.uuid4().hex[:8]}@example.com"
        values = {"workspace_id": self.workspace.id, "password_hash": self.password_hash, "role": role}
        await insert_user(self.rows, email=email, **values | changes)
        return email

    async def signed_in(self, role: str = "administrator", **options: Any) -> Page:
        """Open a window, sign in, and wait for the list of webhooks."""
        page = await self.windows.open(**options)
        await self.sign_in(page, await self.person(role))
        return page

    async def sign_in(self, page: Page, email: str, password: str = PASSWORD) -> None:
        """Sign in through the form."""
        await page.goto(f"{self.url}{WEBHOOKS}")
        await fill_sign_in(page, email, password)
        await page.wait_for_url(f"**{WEBHOOKS}**")


async def fill_sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fill in the form of sign-in and send it."""
    await page.get_by_label("Email address").fill(email)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in", exact=True).click()


async def fill_webhook(page: Page, *, name: str, url: str, triggers: tuple[str, ...] = ("Workspace created",)) -> None:
    """Fill in the form of a webhook; its secret is generated."""
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Authentication URL").fill(url)
    await page.get_by_role("button", name="Generate").click()
    await expect(page.get_by_label("Authentication Secret")).not_to_be_empty()
    for trigger in triggers:
        await page.get_by_role("checkbox", name=trigger).check()


async def create_webhook(page: Page, console: Console, *, name: str, url: str) -> None:
    """Create a webhook and wait for the list."""
    await page.goto(console.at(f"{WEBHOOKS}/new"))
    await fill_webhook(page, name=name, url=url)
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.get_by_text("The webhook was created.")).to_be_visible()


async def choose(page: Page, name: str, action: str) -> None:
    """Choose something from a webhook's three-dot menu."""
    await page.get_by_role("button", name=f"Actions: {name}").click()
    menu = page.locator(".menu:popover-open")
    await menu.locator(".item", has_text=action).click()
