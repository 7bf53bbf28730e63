"""Real processes of ours: started with an environment of their own, read, and always ended."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


class Process:
    """One running `python -m …`; standard output and error go to one file."""

    def __init__(self, popen: subprocess.Popen[bytes], log_file: Path) -> None:
        self._popen = popen
        self._log_file = log_file

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code; none while it runs."""
        return self._popen.poll()

    def output(self) -> str:
        """Return all that it wrote so far."""
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    def lines(self) -> list[dict[str, Any]]:
        """Return what it wrote so far as JSON, one object a line; other lines are left out."""
        found = []
        for line in self.output().splitlines():
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                found.append(value)
        return found

    def said(self, event: str, **fields: object) -> bool:
        """Tell whether it logged this event with at least these fields."""
        wanted = {"event": event, **fields}.items()
        return any(wanted <= line.items() for line in self.lines() if line.get("event") == event)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._popen.send_signal(number)

    async def ended(self, *, limit_s: float = 20.0) -> int:
        """Wait for its end; return the exit code.

        Raises:
            AssertionError: It did not end within the limit; the message holds its output.
        """
        try:
            await wait_until(lambda: self.exit_code is not None, what="the process to end", limit_s=limit_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; it wrote:\n{self.output()}") from None
        return self._popen.wait()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._popen.kill()
        self._popen.wait()


def launch(module: str, *arguments: str, environ: Mapping[str, str], log_file: Path) -> "subprocess.Popen[bytes]":
    """Start `python -m module arguments`; whoever calls sees to its end.

    Args:
        module: Such as `services.scheduler`.
        arguments: As on a command line.
        environ: Its CORO_ variables; of ours it gets only the search paths.
        log_file: Where standard output and error go.
    """
    inherited = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME", "TMPDIR") if name in os.environ}
    with log_file.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={**inherited, "PYTHONUNBUFFERED": "1", **environ},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


@contextmanager
def running(module: str, *arguments: str, environ: Mapping[str, str]) -> Iterator[Process]:
    """Run `python -m module arguments` for the block; kill it at the end if it still runs.

    Args:
        module: Such as `services.scheduler`.
        arguments: As on a command line.
        environ: Its CORO_ variables; of ours it gets only the search paths.
    """
    with tempfile.TemporaryDirectory(prefix="coro-process-") as folder:
        log_file = Path(folder) / "output"
        process = Process(launch(module, *arguments, environ=environ, log_file=log_file), log_file)
        try:
            yield process
        finally:
            process.kill()


def free_port() -> int:
    """Return a port of this machine that nothing listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
