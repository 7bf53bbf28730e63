"""The stand: real servers, one receiver process and one dispatcher process for a scenario."""

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from coro_events.migrate import migrate
from coro_events.store.engine import make_engine
from coro_events.store.unit import Database
from deploy.local.broker import EmbeddedKafka
from deploy.local.ports import free_port
from deploy.local.postgres import EmbeddedPostgres
from tests.support.kafka import create_topics
from tests.support.makers import TEST_KEYS
from tests.support.postgres import create_database, drop_database
from tests.support.waiting import wait_until

PARTITIONS = 6


@dataclass(frozen=True)
class Servers:
    """Where the servers are."""

    database_admin_url: str
    kafka_bootstrap: str


@dataclass
class Stand:
    """One scenario's own database, topics, receiver and dispatcher settings."""

    database: Database
    database_url: str
    kafka_bootstrap: str
    prefix: str
    receiver_port: int
    receiver: "subprocess.Popen[bytes]"
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    dispatchers: "list[Dispatcher]" = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.receiver_port}{path}"

    def topic(self, name: str) -> str:
        return self.prefix + name

    async def statistics(self) -> dict[str, Any]:
        """Return what arrived at the receiver, see tests/support/receiver.py."""
        return await asyncio.to_thread(_get_json, self.url("/stats"))

    def check(self) -> None:
        """Fail early when a dispatcher has died by itself."""
        for dispatcher in self.dispatchers:
            if dispatcher.process.returncode is None and dispatcher.process.poll() not in {None, 0}:
                raise RuntimeError(f"the dispatcher ended with {dispatcher.process.returncode}; see its log")

    def start_dispatcher(self, **settings: str) -> "Dispatcher":
        ops_port = free_port()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CORO_")},
            "CORO_ENVIRONMENT": "local",
            "CORO_DATABASE_URL": self.database_url,
            "CORO_KAFKA_BOOTSTRAP_SERVERS": self.kafka_bootstrap,
            "CORO_KAFKA_TOPIC_PREFIX": self.prefix,
            "CORO_SECRET_KEYS": TEST_KEYS,
            "CORO_ALLOWED_NETWORKS": "127.0.0.0/8",
            "CORO_OPS_PORT": str(ops_port),
            **self.settings,
            **settings,
        }
        log = (self.folder / f"dispatcher-{len(self.dispatchers)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "services.dispatcher"], env=environment, stdout=log, stderr=log
        )
        dispatcher = Dispatcher(process, ops_port)
        self.dispatchers.append(dispatcher)
        return dispatcher


@dataclass
class Dispatcher:
    """A dispatcher process and what the system says of it."""

    process: "subprocess.Popen[bytes]"
    ops_port: int

    async def ready(self) -> None:
        """Wait until it has partitions."""
        await wait_until(self._is_ready, what="the dispatcher is ready", limit_s=30)

    async def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"the dispatcher ended with {self.process.returncode}; see its log")
        try:
            await asyncio.to_thread(_get_json, f"http://127.0.0.1:{self.ops_port}/readyz")
        except httpx.HTTPError:
            return False
        return True

    def cpu_s(self) -> float:
        """Return the CPU seconds of the process so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Return the highest resident memory so far, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(40)


@asynccontextmanager
async def servers(folder: Path) -> AsyncIterator[Servers]:
    """Start durable servers, or take those that the environment names."""
    database_url = os.environ.get("CORO_DATABASE_URL")
    bootstrap = os.environ.get("CORO_KAFKA_BOOTSTRAP_SERVERS")
    postgres = kafka = None
    try:
        if not database_url:
            postgres = EmbeddedPostgres(folder / "postgres", free_port())
            postgres.launch()
            postgres.await_ready()
            database_url = postgres.url("postgres")
        if not bootstrap:
            kafka = EmbeddedKafka(folder / "kafka", free_port(), free_port())
            kafka.launch()
            kafka.await_ready()
            bootstrap = kafka.bootstrap
        yield Servers(database_url, bootstrap)
    finally:
        for server in (kafka, postgres):
            if server is not None:
                server.remove()


@asynccontextmanager
async def stand(where: Servers, folder: Path) -> AsyncIterator[Stand]:
    """Set up a fresh database, topics and a receiver; take everything down at the end."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    database_url = await create_database(where.database_admin_url, name)
    await asyncio.to_thread(migrate, database_url)
    prefix = f"{name}."
    topics = tuple(prefix + topic for topic in ("coro.events", "coro.webhooks", "coro.events.rejected"))
    await create_topics(where.kafka_bootstrap, topics, partitions=PARTITIONS)
    receiver = _start_receiver()
    assert receiver.stdout is not None
    port = int(receiver.stdout.readline())
    database = Database(make_engine(database_url, application_name="coro-bench"))
    made = Stand(database, database_url, where.kafka_bootstrap, prefix, port, receiver, folder)
    try:
        yield made
    finally:
        for dispatcher in made.dispatchers:
            dispatcher.stop()
        receiver.terminate()
        receiver.wait(10)
        await database.dispose()
        await drop_database(where.database_admin_url, name)


def _get_json(url: str) -> dict[str, Any]:
    value: dict[str, Any] = httpx.get(url, timeout=30).raise_for_status().json()
    return value


def _start_receiver() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "tests.support.receiver"], stdout=subprocess.PIPE)
