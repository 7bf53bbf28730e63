"""The running config service takes whatever its description allows, and much that it does not, and always as told."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from coro_events.contract.triggers import Trigger, rest_name
from coro_events.runtime.clock import SystemClock
from coro_events.store.unit import Database
from tests.fuzz.run import SECONDS
from tests.integration.api.calls import WEBHOOKS, Api, insert_credential
from tests.integration.api.past import insert_delivery
from tests.integration.api.test_process import environment, ready, url_of
from tests.support.makers import insert_workspace
from tests.support.processes import ROOT, running

pytestmark = pytest.mark.slow

CONFIG = Path(__file__).with_name("schemathesis.toml")
# A name that every machine resolves by itself; that of the examples is nobody's.
URL = "https://localhost/hook"
TRIGGERS = [rest_name(trigger, 1) for trigger in Trigger]
DEFAULT_S = 45


@dataclass(frozen=True)
class Target:
    """The running service, and who may call what there.

    Attributes:
        api: Calls of a super admin.
        service: Calls of an internal service.
        known: Ids that are there, by the name of the parameter that takes them.
    """

    api: Api
    service: Api
    known: dict[str, list[str]]


@pytest.fixture
async def target(database_url: str, database: Database) -> AsyncIterator[Target]:
    """Run the service with a few webhooks that have deliveries, one of which has a draft."""
    # The credentials are of a workspace above, so that no call can revoke them.
    await insert_workspace(database, "msp")
    await insert_workspace(database, "acme", parent="msp")
    await insert_workspace(database, "acme-east", parent="acme")
    await insert_credential(database, workspace_id="msp", role="super_admin")
    await insert_credential(database, client_id="platform", workspace_id="msp", role="service")
    environ = environment(database_url, CORO_API_TEST_WAIT_S="0", CORO_API_REQUESTS_PER_S="0")
    with running("services.api", environ=environ) as process:
        await ready(environ, process)
        async with httpx.AsyncClient(base_url=url_of(environ, "CORO_API_PORT")) as http:
            api, service = Api(http, workspace="acme"), Api(http, workspace="acme")
            await api.sign_in("billing")
            await service.sign_in("platform")
            webhook_ids = [(await api.create(name=f"Kept {number}", url=URL))["id"] for number in range(3)]
            at = SystemClock().now() - timedelta(hours=1)
            released = await service.call("POST", "/v1/webhook-versions/2/release", json={})
            assert released.status_code == 200, released.text
            drafted = await api.call("POST", f"{WEBHOOKS}/{webhook_ids[1]}/draft")
            assert drafted.status_code == 201, drafted.text
            hook_ids = [str(await insert_delivery(database, one, at)) for one in webhook_ids]
            known = {
                "webhook_id": [webhook_ids[0], drafted.json()["id"]],
                "hook_id": hook_ids[:1],
                "workspace_id": ["acme", "acme-east"],
                "version": ["1", "2", "3"],
            }
            yield Target(api, service, known)
        failed = [one for one in process.lines() if one.get("event") in {"request.failed", "request.postponed"}]
        assert process.exit_code is None, process.output()
        assert not failed


def narrowed(document: Any, known: Mapping[str, list[str]]) -> Any:
    """Return the document with less to choose from, so that calls get further than to the first rule they break.

    What is allowed here is allowed there; negative tests break the rest on purpose.
    """
    if isinstance(document, list):
        return [narrowed(value, known) for value in document]
    if not isinstance(document, dict):
        return document
    if "in" in document and document.get("name") in known:
        some = {"type": "string", "enum": known[document["name"]]}
        # Callers choose the ids of workspaces, so others may be there after a while.
        is_chosen = document["name"] == "workspace_id"
        return document | {"schema": {"anyOf": [some, document["schema"]]} if is_chosen else some}
    narrow = {key: narrowed(value, known) for key, value in document.items()}
    properties = narrow.get("properties", {})
    if "applyToAllDescendants" in properties and narrow.get("additionalProperties") is False:
        properties |= {
            "url": {"type": "string", "enum": [URL]},
            "triggers": {"type": "array", "items": {"enum": TRIGGERS}, "minItems": 1, "uniqueItems": True},
        }
        narrow.pop("example", None)
    if isinstance(narrow.get("example"), dict) and "applyToAllDescendants" in narrow["example"]:
        narrow["example"] = narrow["example"] | {"url": URL}
    return narrow


async def call(api: Api, document: Any, seconds: int, folder: Path, *more: str) -> str:
    """Make calls for so long; return the summary."""
    file = folder / "openapi.json"
    file.write_text(json.dumps(document))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", str(file)),
        *("--url", str(api.http.base_url), "--checks", "all", "--max-time", str(seconds), "--continue-on-failure"),
        *("-H", f"Authorization: Bearer {api.token}", "-H", f"Workspace: {api.workspace}"),
        *("--no-color", "--generation-database", "none", *more),
        cwd=folder,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.fuzz.hooks", "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    _, _, summary = output.partition(" SUMMARY ")
    assert re.search(r"\d+ generated", summary), output
    return summary


async def test_api_answers_as_described_when_it_is_called_in_every_way(
    target: Target, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    told = pytestconfig.stash.get(SECONDS, None)
    seconds = told or DEFAULT_S
    # The same calls every time; chance has its turn in `make fuzz-api`.
    more = [] if told else ["--seed", "1"]
    document = narrowed((await target.api.http.get("/openapi.json")).json(), target.known)
    people = await call(target.api, document, seconds * 3 // 4, tmp_path, "--exclude-tag", "workspaces", *more)
    # Nothing there links to anything else.
    more += ["--include-tag", "workspaces", "--include-tag", "versions", "--phases", "examples,coverage,fuzzing"]
    # A workspace may have the id `sync`, so the methods that `/v1/workspaces/sync` lacks are those of a workspace.
    more += ["--exclude-checks", "unsupported_method"]
    services = await call(target.service, document, seconds // 4, tmp_path, *more)
    sys.stdout.write(f"\nAs a super admin{people}\nAs an internal service{services}")
    assert (await target.api.get(WEBHOOKS)).status_code == 200
