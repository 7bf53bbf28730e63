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


@contextmanager
def temporary_servers(env: Mapping[str, str] | None = None) -> Iterator[TemporaryServers]:
    """Start what the environment does not already name, and remove it at the end.

    Call it from the main thread: the servers then also end when the process is killed.

    Raises:
        LocalError: a server cannot start.
    """
    env = os.environ if env is None else env
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
            if not bootstrap:
                port = free_port()
                kafka = EmbeddedKafka(folder / "kafka", port, preferred_port(free_port(), {port}))
                stack.callback(kafka.remove)
                kafka.launch()
        if postgres is not None:
            postgres.await_ready()
            database_url = postgres.url("postgres")
        if kafka is not None:
            kafka.await_ready()
            bootstrap = kafka.bootstrap
        yield TemporaryServers(database_admin_url=database_url or "", kafka_bootstrap=bootstrap or "")
