"""PostgreSQL and Kafka of one test alone: durable, and made to be stopped."""

import asyncio
import os
import signal
from pathlib import Path

from deploy.local.broker import EmbeddedKafka
from deploy.local.ports import free_port, preferred_port
from deploy.local.postgres import EmbeddedPostgres


class Servers:
    """A database and a broker; each may go away at once and come back with what it had."""

    def __init__(self, folder: Path) -> None:
        # Durable: without, PostgreSQL itself forgets the last commits when it is stopped at once.
        self._postgres = EmbeddedPostgres(folder / "postgres", free_port(), durable=True)
        port = free_port()
        self._kafka = EmbeddedKafka(folder / "kafka", port, preferred_port(free_port(), {port}), brief=True)

    @property
    def database_admin_url(self) -> str:
        """The address of a database from which others can be made."""
        return self._postgres.url("postgres")

    @property
    def kafka_bootstrap(self) -> str:
        """Host and port for clients."""
        return self._kafka.bootstrap

    def start(self) -> None:
        """Start what is not running."""
        if self._postgres.child is None:
            self._postgres.launch()
        if self._kafka.child is None:
            self._kafka.launch()
        self._postgres.await_ready()
        self._kafka.await_ready()

    def remove(self) -> None:
        """End both and remove what they kept."""
        if self._kafka.child is not None:
            self.cut_kafka()
        if self._postgres.child is not None:
            self.cut_database()
        self._kafka.remove()
        self._postgres.remove()

    def cut_database(self) -> None:
        """End PostgreSQL at once, every session with it: an immediate shutdown."""
        os.kill(self._postgres.pid, signal.SIGQUIT)
        self._postgres.stop()

    async def restore_database(self) -> None:
        """Start PostgreSQL again; return when it takes connections."""
        self._postgres.launch()
        await asyncio.to_thread(self._postgres.await_ready)

    def cut_kafka(self) -> None:
        """Kill the broker."""
        os.kill(self._kafka.pid, signal.SIGKILL)
        self._kafka.stop()

    async def restore_kafka(self) -> None:
        """Start the broker again; return when it takes clients."""
        self._kafka.launch()
        await asyncio.to_thread(self._kafka.await_ready)
