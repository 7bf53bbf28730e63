"""What the console's pages take, with one process, where there is much to show."""

import re
import time
import uuid

import httpx

from tests.bench.api import process_environment
from tests.bench.figures import Figure, percentile
from tests.support.crowds import insert_busy_past, insert_many_webhooks
from tests.support.makers import insert_webhook, insert_workspace, make_vault
from tests.support.people import PASSWORD, hash_cheaply, insert_user
from tests.support.processes import free_port, running
from tests.support.stand import Stand
from tests.support.waiting import wait_until

SCENARIO = "console, 1,000 webhooks, 10,000 workspaces"
EMAIL = "super_admin@acme.example"
WEBHOOKS = "/portal/settings/connectors/webhooks"
REACH_MS = 100.0
LOOKS = 20


async def console(stand: Stand) -> list[Figure]:
    """Open each page a few times, one after the other, signed in as a super admin."""
    await insert_workspace(stand.database, "acme")
    await insert_user(stand.database, email=EMAIL, role="super_admin", password_hash=hash_cheaply())
    busy, listed = [await _insert_webhook(stand) for _ in range(2)]
    await insert_many_webhooks(stand.database, listed)
    await insert_busy_past(stand.database, busy)
    port = free_port()
    with running("services.api", environ=process_environment(stand, port)):
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            await _sign_in(http)
            return [await _figure(http, name, address) for name, address in _pages(busy).items()]


async def _insert_webhook(stand: Stand) -> uuid.UUID:
    made = await insert_webhook(stand.database, make_vault(), apply_to_all_descendants=True)
    return uuid.UUID(str(made.id))


def _pages(webhook_id: uuid.UUID) -> dict[str, str]:
    one = f"{WEBHOOKS}/{webhook_id}"
    return {
        "list": WEBHOOKS,
        "list, searched and filtered": f"{WEBHOOKS}?search=number+9&state=enabled&sort=name",
        "form": f"{WEBHOOKS}/new",
        "details": one,
        "replay": f"{one}/replay",
        "explain": f"{one}/explain",
        "verify": f"{one}/verify",
        "preview": f"{one}/preview",
        "workspaces, searched": "/portal/workspaces?search=number+77&part=1",
        "overview": "/portal/overview",
        "activity log": "/portal/activity",
    }


async def _sign_in(http: httpx.AsyncClient) -> None:
    async def answers() -> bool:
        try:
            return (await http.get("/portal/sign-in")).status_code == 200
        except httpx.TransportError:
            return False

    await wait_until(answers, what="the console answers", limit_s=30, every_s=0.1)
    page = await http.get("/portal/sign-in")
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    fields = hidden | {"email": EMAIL, "password": PASSWORD}
    answer = await http.post("/portal/sign-in", data=fields, headers={"Origin": str(http.base_url).rstrip("/")})
    assert answer.status_code == 303, f"{answer.status_code}: {answer.text[:500]}"


async def _figure(http: httpx.AsyncClient, name: str, address: str) -> Figure:
    took_ms = []
    for look in range(LOOKS + 2):
        begun = time.perf_counter()
        page = await http.get(address)
        assert page.status_code == 200, f"{address}: {page.status_code}"
        # The first ones compile templates and warm caches.
        if look >= 2:
            took_ms.append((time.perf_counter() - begun) * 1e3)
    p50 = percentile(took_ms, 0.5)
    return Figure(SCENARIO, f"{name}, p50", p50, "ms", None, f"≤ {REACH_MS:g}", p50 <= REACH_MS)
