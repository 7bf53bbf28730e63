"""A stand: one database, topics of its own, a receiver as a process, and dispatchers as processes."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from coro_events.store.engine import make_engine
from coro_events.store.unit import Database
from tests.support.makers import TEST_KEYS
from tests.support.processes import ROOT, Process, free_port, launch
from tests.support.waiting import wait_until

READY_LIMIT_S = 60.0
DISPATCHER = "services.dispatcher"


class Dispatcher(Process):
    """A dispatcher process and what the system and itself say of it."""

    def __init__(self, popen: "subprocess.Popen[bytes]", log_file: Path, ops_port: int) -> None:
        super().__init__(popen, log_file)
        self._ops_port = ops_port
        # Whether somebody asked it to end; else its end is a failure.
        self.is_done = False

    async def ready(self) -> None:
        """Wait until it has partitions."""
        await wait_until(self._is_ready, what="the dispatcher to be ready", limit_s=READY_LIMIT_S, every_s=0.05)

    async def _is_ready(self) -> bool:
        self.check()
        try:
            return (await self._get("/readyz")).is_success
        except httpx.HTTPError:
            return False

    def check(self) -> None:
        """Fail when it has ended by itself."""
        if self.exit_code is not None and not self.is_done:
            raise AssertionError(f"the dispatcher ended with {self.exit_code}; it wrote:\n{self.output()[-4000:]}")

    async def metric(self, name: str) -> float:
        """Return one figure of /metrics, its labels being part of the name; 0 where there is none."""
        lines = (await self._get("/metrics")).text.splitlines()
        figures = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return float(figures.get(name, 0))

    async def _get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            try:
                return await client.get(f"http://127.0.0.1:{self._ops_port}{path}")
            except httpx.TransportError:
                self.check()
                raise

    def cpu_s(self) -> float:
        """Return the CPU seconds of the process so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Return the highest resident memory so far, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.is_done = self.is_done or number in {signal.SIGTERM, signal.SIGKILL, signal.SIGINT}
        super().signal(number)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.is_done = True
        super().kill()

    async def stop(self) -> int:
        """Ask it to end and wait for that; return the exit code."""
        self.signal(signal.SIGTERM)
        return await self.ended(limit_s=40)


@dataclass(frozen=True)
class Arrival:
    """One request at the receiver.

    Attributes:
        path: Which webhook, by its URL.
        number: Which event, see tests/support/load.py.
        hook_id: As in the header.
        at: Seconds since 1970.
    """

    path: str
    number: int
    hook_id: str
    at: float


@dataclass
class Stand:
    """One scenario's own database, topics, receiver and dispatcher settings."""

    database: Database
    database_url: str
    kafka_bootstrap: str
    prefix: str
    receiver_port: int
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    dispatchers: list[Dispatcher] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.receiver_port}{path}"

    def topic(self, name: str) -> str:
        return self.prefix + name

    async def statistics(self) -> dict[str, Any]:
        """Return what arrived at the receiver, see tests/support/receiver.py."""
        value: dict[str, Any] = await asyncio.to_thread(_get_json, self.url("/stats"))
        return value

    async def arrivals(self) -> list[Arrival]:
        """Return every marked request that came to the receiver, in order."""
        return [Arrival(*row) for row in await asyncio.to_thread(_get_json, self.url("/arrivals"))]

    def check(self) -> None:
        """Fail early when a dispatcher has ended by itself."""
        for dispatcher in self.dispatchers:
            dispatcher.check()

    def start_dispatcher(self, *arguments: str, module: str = DISPATCHER, **settings: str) -> Dispatcher:
        ops_port = free_port()
        environ = {
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
        log_file = self.folder / f"{self.prefix}dispatcher-{len(self.dispatchers)}.log"
        dispatcher = Dispatcher(launch(module, *arguments, environ=environ, log_file=log_file), log_file, ops_port)
        self.dispatchers.append(dispatcher)
        return dispatcher


@asynccontextmanager
async def standing(*, database_url: str, kafka_bootstrap: str, prefix: str, folder: Path) -> AsyncIterator[Stand]:
    """Put a receiver beside a migrated database and topics that are there; end every process afterwards."""
    receiver = _start_receiver()
    database = Database(make_engine(database_url, application_name="coro-stand"))
    dispatchers: list[Dispatcher] = []
    try:
        assert receiver.stdout is not None
        port = int(await asyncio.to_thread(receiver.stdout.readline))
        yield Stand(database, database_url, kafka_bootstrap, prefix, port, folder, dispatchers=dispatchers)
    finally:
        for dispatcher in dispatchers:
            dispatcher.kill()
        receiver.kill()
        receiver.communicate()
        await database.dispose()


def _start_receiver() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "tests.support.receiver"], cwd=ROOT, stdout=subprocess.PIPE)


def _get_json(url: str) -> Any:
    return httpx.get(url, timeout=30, trust_env=False).raise_for_status().json()
