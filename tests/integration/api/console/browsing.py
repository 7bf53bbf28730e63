"""A browser without scripts: it keeps cookies, says where its forms come from, and follows redirects when told to."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.support.people import PASSWORD

ORIGIN = "http://api.test"
SIGN_IN = "/portal/sign-in"
WEBHOOKS = "/portal/settings/connectors/webhooks"

_HIDDEN = re.compile(r'name="csrf" value="([^"]+)"')


class Browser:
    """One browser with its cookies."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.csrf = ""

    async def get(self, address: str, **arguments: Any) -> httpx.Response:
        """Open a page; redirects are not followed."""
        return await self.http.get(address, **arguments)

    async def post(
        self, address: str, fields: dict[str, Any] | None = None, *, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send a form of the session."""
        sent = {"csrf": self.csrf, **(fields or {})}
        return await self.http.post(address, data=sent, headers={"Origin": ORIGIN, **(headers or {})})

    async def sign_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        """Sign in, and keep what forms carry."""
        fields = {"email": email, "password": password}
        answer = await self.http.post(SIGN_IN, data=fields, headers={"Origin": ORIGIN})
        if answer.status_code == 303:
            page = await self.get(WEBHOOKS)
            assert page.status_code == 200, page.text
            found = _HIDDEN.search(page.text)
            assert found is not None
            self.csrf = found[1]
        return answer

    async def follow(self, answer: httpx.Response) -> str:
        """Follow a redirect; return the text of the page."""
        assert answer.status_code == 303, f"{answer.status_code}: {text_of(answer)}"
        target = urlsplit(answer.headers["location"])._replace(fragment="").geturl()
        page = await self.get(target)
        assert page.status_code == 200, page.text
        return text_of(page)


def text_of(answer: httpx.Response) -> str:
    """Return what a reader sees, roughly: without tags."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def make_fields(**changes: Any) -> dict[str, Any]:
    """Make the fields of a webhook's form."""
    return {
        "name": "Billing",
        "description": "Tells billing.",
        "url": "https://public.example/hook",
        "secret": "a secret of the receiver",
        "header-name": "",
        "header-value": "",
        "trigger": ["workspace-created", "subscription-updated"],
        "apply-to-children": "on",
        "do": "save",
    } | changes
