"""Every operation, called by everyone: docs/access.md tells what happens, for those that are not written yet too."""

import re
import uuid
from typing import Any

import httpx
from sqlalchemy import update

from coro_events.store.tables import api_credentials
from coro_events.store.unit import Database
from services.api.access.overview import ALLOWED, MEMBERS, guarded_operations
from services.api.app import make_routes
from tests.architecture.sources import ROOT
from tests.integration.api.calls import Api, insert_credential
from tests.support.clock import FakeClock
from tests.support.makers import insert_workspace

PAGE = ROOT / "docs/access.md"


def told() -> dict[tuple[str, str], dict[str, str]]:
    """Return the page's table: what each caller gets, by method and path."""
    lines = [line.strip("| ").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    head, _, *rows = lines
    return {
        (method, path): dict(zip(head[1:], answers, strict=True))
        for name, *answers in rows
        for method, path in [name.strip("`").split(" ")]
    }


async def make_callers(http: httpx.AsyncClient, database: Database, clock: FakeClock) -> dict[str, Api]:
    """Return each kind of caller of the page, signed in; all of them call for workspace `acme-east`."""
    await insert_workspace(database, "msp")
    await insert_workspace(database, "acme", parent="msp")
    await insert_workspace(database, "acme-east", parent="acme")
    await insert_workspace(database, "rival", parent="msp")
    roles = {name: role.value for name, role in MEMBERS.items()}
    for name, role in roles.items():
        await insert_credential(database, client_id=name, role=role)
    await insert_credential(database, client_id="administrator of a sibling workspace", workspace_id="rival")
    for name in ("expired credential", "revoked credential"):
        await insert_credential(database, client_id=name, role="super_admin")
    callers = {"no token": Api(http, workspace="acme-east")}
    for name in (*roles, "administrator of a sibling workspace", "expired credential", "revoked credential"):
        callers[name] = Api(http, workspace="acme-east")
        await callers[name].sign_in(name)
    over = {"expired credential": {"expires_at": clock.now()}, "revoked credential": {"revoked_at": clock.now()}}
    await clock.advance(1)
    async with database.write() as connection:
        for name, values in over.items():
            await connection.execute(update(api_credentials).where(api_credentials.c.client_id == name).values(values))
    return callers


async def call(caller: Api, method: str, path: str) -> httpx.Response:
    """Call an operation about things that are not there, with a body that is none of its own."""
    address = re.sub(r"\{\w+\}", lambda _: str(uuid.uuid4()), path)
    body: dict[str, Any] = {"json": {}} if method in {"POST", "PUT", "PATCH"} else {}
    if caller.token:
        return await caller.call(method, address, **body)
    return await caller.http.request(method, address, headers={"Workspace": caller.workspace}, **body)


def test_page_names_every_operation_behind_the_guard() -> None:
    assert told() == {(one.method, one.path): dict(one.answers) for one in guarded_operations(make_routes())}


async def test_everyone_gets_what_the_page_tells_and_nothing_more(
    http: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    callers = await make_callers(http, database, clock)
    differing = []
    for (method, path), answers in told().items():
        for name, expected in answers.items():
            # Time for the permits of each credential to come back.
            await clock.advance(0.1)
            answer = await call(callers[name], method, path)
            got = str(answer.status_code)
            is_own = got not in {"401", "403", "405", "429"} and not answer.is_server_error
            if got != expected and not (expected == ALLOWED and is_own):
                differing.append(f"{method} {path} as {name}: {got} instead of {expected}")

    assert differing == []
