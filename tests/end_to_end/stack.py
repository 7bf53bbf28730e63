"""The three real processes on servers of the run, with a database and topics of their own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from coro_events.contract.topics import EVENTS
from coro_events.producer import EventProducer
from coro_events.store.engine import make_engine
from coro_events.store.unit import Database, ReadConnection
from tests.support import kafka, postgres
from tests.support.makers import TEST_KEYS
from tests.support.processes import Process, free_port, running
from tests.support.waiting import wait_until

SERVICES = ("api", "dispatcher", "scheduler")
ROOT = "the_root"
LIMIT_S = 30

# The waits after the first three attempts, in seconds; each may be a tenth shorter or longer.
RETRY_WAITS_S = (0.2, 0.4, 0.8)


@dataclass
class Stack:
    """What a test sees of the system: its ports, its topics and its processes.

    Attributes:
        environ: What all processes are told.
        api: Signed in as an administrator of the root.
        producer: Emits events as an internal service would.
        processes: The running ones by service.
    """

    kafka_bootstrap: str
    prefix: str
    database_url: str
    environ: dict[str, str]
    api: httpx.AsyncClient
    producer: EventProducer
    processes: dict[str, Process] = field(default_factory=dict)
    _ops_ports: dict[str, int] = field(default_factory=dict)
    _running: ExitStack = field(default_factory=ExitStack)

    def topic(self, name: str) -> str:
        """Return the name under which this stack knows a topic."""
        return self.prefix + name

    def start(self, service: str) -> None:
        """Start a service, for the first time or again."""
        self._ops_ports[service] = free_port()
        environ = self.environ | {"CORO_OPS_PORT": str(self._ops_ports[service])}
        self.processes[service] = self._running.enter_context(running(f"services.{service}", environ=environ))

    async def ready(self, *services: str) -> None:
        """Wait until services are ready, by default all of them."""
        async with httpx.AsyncClient() as client:
            for service in services or SERVICES:

                async def is_ready(service: str = service) -> bool:
                    process = self.processes[service]
                    assert process.exit_code is None, process.output()
                    try:
                        answer = await client.get(f"http://127.0.0.1:{self._ops_ports[service]}/readyz")
                    except httpx.TransportError:
                        return False
                    return answer.is_success

                await wait_until(is_ready, what=f"{service} to be ready", limit_s=LIMIT_S, every_s=0.05)

    async def coro(self, *arguments: str) -> dict[str, Any]:
        """Run `coro … --json` and return the last line of its answer."""
        with running("coro_events.cli.main", *arguments, "--json", environ=self.environ) as process:
            code = await process.ended(limit_s=LIMIT_S)
            assert code == 0, process.output()
            return process.lines()[-1]

    async def sign_in(self, credential: Mapping[str, Any]) -> None:
        """Take a token for all further calls."""
        request = {
            "client_id": credential["client_id"],
            "client_secret": credential["client_secret"],
            "audience": "https://api.secure.coro.net",
            "grant_type": "client_credentials",
        }
        answer = await self.api.post("/oauth/token", json=request)
        assert answer.status_code == 200, answer.text
        self.api.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadConnection]:
        """Read rows that no port shows."""
        database = Database(make_engine(self.database_url, application_name="coro-tests", pool_size=0))
        async with database.read() as connection:
            yield connection
        await database.dispose()

    def stop(self) -> None:
        """End what still runs."""
        self._running.close()


@asynccontextmanager
async def running_stack(
    *, database_admin_url: str, template: str, kafka_bootstrap: str, **settings: str
) -> AsyncIterator[Stack]:
    """Set everything up as an operator would, run it for the block, and leave nothing behind."""
    async with AsyncExitStack() as undo:
        name = postgres.new_name("stack")
        database_url = await postgres.create_database(database_admin_url, name, template=template)
        undo.push_async_callback(postgres.drop_database, database_admin_url, name)
        topics = kafka.new_topics()
        environ = _environ(database_url, kafka_bootstrap, f"{topics.prefix}.") | settings
        api = httpx.AsyncClient(base_url=f"http://127.0.0.1:{environ['CORO_API_PORT']}", timeout=LIMIT_S)
        await undo.enter_async_context(api)
        producer = EventProducer(
            bootstrap_servers=kafka_bootstrap, source="tests/billing", topic=f"{topics.prefix}.{EVENTS}"
        )
        stack = Stack(kafka_bootstrap, f"{topics.prefix}.", database_url, environ, api, producer)
        undo.push_async_callback(kafka.delete_topics, kafka_bootstrap, topics.all())
        credential = await _set_up(stack)
        undo.callback(stack.stop)
        for service in SERVICES:
            stack.start(service)
        await undo.enter_async_context(producer)
        await stack.ready()
        await stack.sign_in(credential)
        yield stack


async def _set_up(stack: Stack) -> dict[str, Any]:
    """Make topics, the root of the tree and a credential; return the credential."""

    async def root() -> dict[str, Any]:
        await stack.coro("workspaces", "create", ROOT, "--type", "channel", "--display-name", "Root")
        named = ("--name", "Billing", "--workspace", ROOT, "--role", "administrator")
        return await stack.coro("credentials", "create", *named)

    topics = asyncio.ensure_future(stack.coro("topics", "create", "--partitions", "3"))
    credential = await root()
    await topics
    return credential


def _environ(database_url: str, kafka_bootstrap: str, prefix: str) -> dict[str, str]:
    return {
        "CORO_ENVIRONMENT": "test",
        "CORO_DATABASE_URL": database_url,
        "CORO_KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "CORO_KAFKA_TOPIC_PREFIX": prefix,
        "CORO_SECRET_KEYS": TEST_KEYS,
        "CORO_TOKEN_KEYS": TEST_KEYS,
        "CORO_ALLOWED_NETWORKS": "127.0.0.0/8",
        "CORO_API_PORT": str(free_port()),
        "CORO_API_ALLOW_HTTP": "true",
        "CORO_DISPATCHER_RETRY_INITIAL_S": str(RETRY_WAITS_S[0]),
        "CORO_DISPATCHER_RETRY_FACTOR": str(RETRY_WAITS_S[1] / RETRY_WAITS_S[0]),
        "CORO_DISPATCHER_CLAIM_INTERVAL_S": "0.05",
    }
