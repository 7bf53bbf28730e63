"""A client that was generated from the OpenAPI document, from a token to a delivered test."""

import asyncio
import importlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.generate import ROOT
from tests.end_to_end.stack import LIMIT_S
from tests.end_to_end.test_first_delivery import verified
from tests.end_to_end.workspace import SECRET, Workspace
from tests.support.receiver import Receiver
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

PACKAGE = "coro_client"


@pytest.fixture
async def generated(tmp_path: Path) -> None:
    """Generate the client; a warning about anything that it cannot read fails."""
    command = ("-m", "openapi_python_client", "generate", "--path", str(ROOT / "docs/openapi.json"))
    config = tmp_path / "config.json"
    # Its own formatting would need tools on the path.
    config.write_text(json.dumps({"post_hooks": []}))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *command, "--config", str(config), "--meta", "none"),
        *("--output-path", str(tmp_path / PACKAGE)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    # Its only complaint is about lines of JSON, which it knows nothing of.
    complaints = [line for line in output.splitlines() if line.startswith(("WARNING", "Unable", "Unsupported"))]
    assert complaints == [
        "WARNING parsing POST /v1/workspaces/sync within workspaces. Endpoint will not be generated.",
        "Unsupported content type application/x-ndjson",
    ], output


@pytest.fixture
def client(generated: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return what imports a module of the client."""
    del generated
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda name: importlib.import_module(f"{PACKAGE}.{name}")
    for name in [one for one in sys.modules if one.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


async def test_a_generated_client_gets_from_a_token_to_a_delivered_test(
    client: Any, workspace: Workspace, receiver: Receiver
) -> None:
    stack = workspace.stack
    named = ("--name", "Generated", "--workspace", workspace.id, "--role", "administrator")
    credential = await stack.coro("credentials", "create", *named)
    models, url = client("models"), str(stack.api.base_url)
    asked = models.TokenRequest(
        client_id=credential["client_id"],
        client_secret=credential["client_secret"],
        audience="https://api.secure.coro.net",
        grant_type="client_credentials",
    )
    async with client("client").Client(base_url=url, timeout=LIMIT_S) as anonymous:
        token = await client("api.access.create_access_token").asyncio(client=anonymous, body=asked)
    assert isinstance(token, models.TokenResponse)

    signed_in = client("client").AuthenticatedClient(
        base_url=url, token=token.access_token, headers={"Workspace": workspace.id}, timeout=LIMIT_S
    )
    async with signed_in as caller:
        wanted = models.WebhookCreate(
            name="Generated",
            apply_to_all_descendants=False,
            url=receiver.url(),
            secret=SECRET,
            triggers=["workspaceCreated.v1"],
        )
        created = await client("api.webhooks.create_webhook").asyncio(client=caller, body=wanted)
        assert isinstance(created, models.CreatedWebhook), created
        (test,) = await receiver.until(1)
        assert verified(test)["type"] == "test"
        assert test.hook_id == created.test.id

        async def delivered() -> bool:
            details = await client("api.webhooks.get_webhook").asyncio(created.id, client=caller)
            assert isinstance(details, models.WebhookDetails), details
            last = details.last_test
            return isinstance(last, models.TestView) and last.state == "delivered"

        await wait_until(delivered, what="the test to be recorded")
        again = await client("api.webhooks.create_webhook").asyncio(client=caller, body=wanted)
        assert isinstance(again, models.Problem)
        assert (again.status, again.type_) == (409, "urn:coro:problem:name-taken")
