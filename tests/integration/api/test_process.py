"""The real process: it starts, serves, publishes, drains, and refuses to start where it must."""

import asyncio
import signal
from collections.abc import Mapping

import httpx
import pytest

from coro_events.errors import SchemaBehindError
from coro_events.migrate import head
from coro_events.store.unit import Database
from tests.integration.api.calls import WEBHOOKS, Api, insert_credential, messages
from tests.support.makers import TEST_KEYS, insert_workspace
from tests.support.processes import Process, free_port, running
from tests.support.waiting import wait_until


def environment(database_url: str, **changes: str) -> dict[str, str]:
    """Return the environment of a process of this test alone."""
    return {
        "CORO_ENVIRONMENT": "test",
        "CORO_DATABASE_URL": database_url,
        "CORO_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
        "CORO_SECRET_KEYS": TEST_KEYS,
        "CORO_TOKEN_KEYS": TEST_KEYS,
        "CORO_API_PORT": str(free_port()),
        "CORO_OPS_PORT": str(free_port()),
        "CORO_API_TEST_WAIT_S": "30",
        "CORO_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
    } | changes


def url_of(environ: Mapping[str, str], setting: str) -> str:
    """Return the address of a port of the process."""
    return f"http://127.0.0.1:{environ[setting]}"


async def ready(environ: Mapping[str, str], process: Process) -> None:
    """Wait until the process is ready."""

    async def look() -> bool:
        assert process.exit_code is None, process.output()
        async with httpx.AsyncClient() as client:
            try:
                return (await client.get(url_of(environ, "CORO_OPS_PORT") + "/readyz")).status_code == 200
            except httpx.TransportError:
                return False

    await wait_until(look, what="the process to be ready", limit_s=30)


@pytest.fixture
def environ(database_url: str) -> dict[str, str]:
    """Return the environment of the process."""
    return environment(database_url)


async def test_process_serves_and_drains_when_it_is_asked_to_end(environ: dict[str, str], database: Database) -> None:
    await insert_workspace(database, "acme")
    await insert_credential(database)
    with running("services.api", environ=environ) as process:
        await ready(environ, process)
        async with httpx.AsyncClient(base_url=url_of(environ, "CORO_API_PORT")) as http:
            api = Api(http, workspace="acme")
            await api.sign_in("billing")
            # A name that every machine resolves by itself.
            webhook = await api.create(url="https://localhost/hook")
            metrics = await http.get(url_of(environ, "CORO_OPS_PORT") + "/metrics")
            waiting = await _wait_and_end(api, webhook["id"], process, database)

        assert waiting.status_code == 202
        assert await process.ended() == 0
    assert 'coro_api_request_duration_seconds_count{method="POST",route="/v1/settings/webhooks"' in metrics.text
    # Kafka was never there: nothing is lost, everything still waits.
    assert (await messages(database))[0]["type"] == "webhook-created"


async def _wait_and_end(api: Api, webhook_id: str, process: Process, database: Database) -> httpx.Response:
    """Ask for a test that nobody answers, and end the process meanwhile."""
    call = asyncio.ensure_future(api.get(f"{WEBHOOKS}/{webhook_id}/test", timeout=40))

    async def is_asked_for() -> bool:
        # The first was asked for by the creation.
        return [message["type"] for message in await messages(database)].count("webhook-test-requested") == 2

    await wait_until(is_asked_for, what="the test to be asked for")
    process.signal(signal.SIGTERM)
    return await call


async def test_process_refuses_to_start_when_the_schema_is_behind(empty_database_url: str) -> None:
    with running("services.api", environ=environment(empty_database_url)) as process:
        assert await process.ended() == 1
        told = [line for line in process.output().splitlines() if not line.startswith("{")]

    assert told == [str(SchemaBehindError(f"it is at nothing, needed is {head()}"))]


async def test_process_waits_for_the_database_and_ends_when_it_is_asked_to(environ: dict[str, str]) -> None:
    with running("services.api", environ=environ | {"CORO_DATABASE_URL": "postgresql://127.0.0.1:9/x"}) as process:
        await wait_until(lambda: process.said("infrastructure.retried"), what="a second try")
        process.signal(signal.SIGTERM)
        assert await process.ended() == 1
        told = [line for line in process.output().splitlines() if not line.startswith("{")]

    assert told == ["The database is not available: ConnectionRefusedError"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"CORO_DATABASE_URL": "mysql://hush"}, "CORO_DATABASE_URL"),
        ({"CORO_SECRET_KEYS": "hush"}, "CORO_SECRET_KEYS"),
        ({"CORO_TOKEN_KEYS": "hush"}, "CORO_TOKEN_KEYS"),
        ({"CORO_API_COLOUR": "red"}, "CORO_API_COLOUR"),
    ],
)
async def test_process_refuses_to_start_when_a_setting_cannot_be_used(changes: dict[str, str], named: str) -> None:
    with running("services.api", environ=environment("postgresql://127.0.0.1:9/x", **changes)) as process:
        assert await process.ended() == 2
        told = [line for line in process.output().splitlines() if not line.startswith("{")]

    assert len(told) == 1
    assert named in told[0]
    assert "hush" not in told[0]
