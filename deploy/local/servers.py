"""Real PostgreSQL and Kafka for one run of the tests: made in an empty folder, gone afterwards."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.broker import EmbeddedKafka
from deploy.local.ports import free_port, preferred_port
from deploy.local.postgres import EmbeddedPostgres

DATABASE_SETTING = "CORO_DATABASE_URL"
KAFKA_SETTING = "CORO_KAFKA_BOOTSTRAP_SERVERS"


@dataclass(frozen=True)
class TemporaryServers:
    """Where the servers are; the database address may create databases."""

    database_admin_url: str
    kafka_bootstrap: str


class StartingServers:
    """Servers on their way: where they will be is known before they are ready."""

    def __init__(
        self, where: TemporaryServers, *, postgres: EmbeddedPostgres | None, kafka: EmbeddedKafka | None
    ) -> None:
        self.where = where
        self._postgres = postgres
        self._kafka = kafka

    def await_ready(self) -> None:
        """Return when all of them can be used.

        Raises:
            LocalError: a server ended, or took too long.
        """
        if self._postgres is not None:
            self._postgres.await_ready()
        if self._kafka is not None:
            self._kafka.await_ready()


@contextmanager
def starting_servers(env: Mapping[str, str]) -> Iterator[StartingServers]:
    """Launch what the environment does not already name, without waiting for it, and remove it at the end.

    Call it from the main thread: the servers then also end when the process is killed.

    Raises:
        LocalError: a server cannot be launched.
    """
    with ExitStack() as stack:
        database_url = env.get(DATABASE_SETTING)
        bootstrap = env.get(KAFKA_SETTING)
        postgres = kafka = None
        if not (database_url and bootstrap):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="coro-tests-")))
            if not database_url:
                postgres = EmbeddedPostgres(folder / "postgres", free_port(), durable=False)
                stack.callback(postgres.remove)
                postgres.launch()
                database_url = postgres.url("postgres")
            if not bootstrap:
                port = free_port()
                kafka = EmbeddedKafka(folder / "kafka", port, preferred_port(free_port(), {port}), brief=True)
                stack.callback(kafka.remove)
                kafka.launch()
                bootstrap = kafka.bootstrap
        where = TemporaryServers(database_admin_url=database_url or "", kafka_bootstrap=bootstrap or "")
        yield StartingServers(where, postgres=postgres, kafka=kafka)


@contextmanager
def temporary_servers(env: Mapping[str, str] | None = None) -> Iterator[TemporaryServers]:
    """Start what the environment does not already name, and remove it at the end.

    Call it from the main thread: the servers then also end when the process is killed.

    Raises:
        LocalError: a server cannot start.
    """
    with starting_servers(os.environ if env is None else env) as servers:
        servers.await_ready()
        yield servers.where
