"""Calls of the API, and the rows behind them."""

import hashlib
import uuid
from typing import Any

import httpx
from sqlalchemy import insert, select

from coro_events.store.tables import activity_log, api_credentials, outbox
from coro_events.store.unit import Database
from tests.unit.api.bodies import make_body

SECRET = "a client's secret"
WEBHOOKS = "/v1/settings/webhooks"


class Api:
    """Calls as one client, in one workspace."""

    def __init__(self, http: httpx.AsyncClient, *, workspace: str, token: str = "") -> None:
        self.http = http
        self.workspace = workspace
        self.token = token

    async def sign_in(self, client_id: str) -> None:
        """Get a token."""
        answer = await ask_for_token(self.http, client_id=client_id)
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]

    def elsewhere(self, workspace: str) -> "Api":
        """Return the same client's calls in another workspace."""
        return Api(self.http, workspace=workspace, token=self.token)

    async def call(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Call with the token and the workspace."""
        own = {"Authorization": f"Bearer {self.token}", "Workspace": self.workspace}
        headers = own | arguments.pop("headers", {})
        return await self.http.request(method, path, headers=headers, **arguments)

    async def get(self, path: str, **arguments: Any) -> httpx.Response:
        """Read."""
        return await self.call("GET", path, **arguments)

    async def create(self, **changes: Any) -> dict[str, Any]:
        """Create a webhook and return the answer's body."""
        answer = await self.call("POST", WEBHOOKS, json=make_body(**changes))
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def put(
        self, webhook: dict[str, Any], *, headers: dict[str, str] | None = None, **changes: Any
    ) -> httpx.Response:
        """Send a webhook's answer back with changes."""
        return await self.call("PUT", f"{WEBHOOKS}/{webhook['id']}", json={**webhook, **changes}, headers=headers or {})


async def ask_for_token(http: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    """Ask for a token."""
    body = {
        "client_id": "billing",
        "client_secret": SECRET,
        "audience": "https://api.secure.coro.net",
        "grant_type": "client_credentials",
    } | changes
    return await http.post("/oauth/token", json=body)


async def insert_credential(database: Database, **changes: Any) -> uuid.UUID:
    """Insert a credential; its workspace must be there already."""
    values = {
        "id": uuid.uuid4(),
        "client_id": "billing",
        "secret_hash": hashlib.sha256(SECRET.encode()).digest(),
        "name": "Billing system",
        "workspace_id": "acme",
        "role": "administrator",
    } | changes
    async with database.write() as connection:
        await connection.execute(insert(api_credentials).values(values))
    return uuid.UUID(str(values["id"]))


async def client_of(database: Database) -> str:
    """Return the client id of the only credential."""
    async with database.read() as connection:
        return str(await connection.scalar(select(api_credentials.c.client_id)))


async def messages(database: Database) -> list[dict[str, Any]]:
    """Return what waits in the outbox, in order."""
    async with database.read() as connection:
        rows = await connection.rows(select(outbox.c.message).order_by(outbox.c.id))
    return [row.message for row in rows]


async def activities(database: Database, *, subject: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Return action, actor and detail of what happened to something, in order."""
    async with database.read() as connection:
        statement = select(activity_log).where(activity_log.c.subject == subject).order_by(activity_log.c.id)
        return [(row.action, row.actor, row.detail) for row in await connection.rows(statement)]
