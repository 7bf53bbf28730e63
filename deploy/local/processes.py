"""Starts, watches and stops the processes of the local stack, so that none outlives it."""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.errors import LocalError

_PR_SET_PDEATHSIG = 1
_STEP_S = 0.05
_SHOWN_CHARACTERS = 300
_ERROR_LEVELS = ("error", "critical")


@dataclass(frozen=True)
class SystemUser:
    """Whom a process runs as; numbers, because the user need not be known by name."""

    uid: int
    gid: int


class Child:
    """One process of the stack: its own session, its output in a file, ended when its parent ends."""

    def __init__(
        self,
        *,
        name: str,
        command: Sequence[str],
        log_file: Path,
        env: Mapping[str, str],
        cwd: Path,
        system_user: SystemUser | None = None,
        errors_file: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        orphan_signal: signal.Signals = signal.SIGKILL,
        stop_limit_s: float = 30,
    ) -> None:
        self.name = name
        self.log_file = log_file
        self._log_start_bytes = 0
        self._errors_start_bytes = 0
        self._command = list(command)
        self._errors_file = errors_file or log_file
        self._env = dict(env)
        self._cwd = cwd
        self._system_user = system_user
        self._stop_signal = stop_signal
        self._orphan_signal = orphan_signal
        self._stop_limit_s = stop_limit_s
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id.

        Raises:
            LocalError: it was not started.
        """
        if self._process is None:
            raise LocalError(f"{self.name} is not running.")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it.

        Raises:
            LocalError: the program cannot be run.
        """
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as output, self._errors_file.open("ab") as errors:
            self._log_start_bytes = output.tell()
            self._errors_start_bytes = errors.tell()
            user = self._system_user
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own command lines, no shell
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                    env=self._env,
                    cwd=self._cwd,
                    start_new_session=True,
                    user=user.uid if user else None,
                    group=user.gid if user else None,
                    extra_groups=[] if user else None,
                    preexec_fn=_die_with_parent(self._orphan_signal),  # noqa: PLW1509 - one system call
                )
            except OSError as error:
                raise LocalError(f"{self.name} could not be started: {error}.") from error

    def ends_within(self, duration_s: float) -> bool:
        """Wait for the end of the process for so many seconds at most; tell whether it has ended."""
        if self._process is None:
            return True
        try:
            self._process.wait(duration_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """Ask it to end, insist after the limit, and clear away what it may have left in its session."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(self._stop_signal)
            if not self.ends_within(self._stop_limit_s):
                process.kill()
                process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        self._process = None

    def said(self, text: bytes) -> bool:
        """Tell whether its log holds this text since it was started."""
        return text in _since(self.log_file, self._log_start_bytes)

    def last_words(self) -> str:
        """Return the last line it wrote, for the sentence about its end."""
        said = _since(self._errors_file, self._errors_start_bytes)
        return last_telling_line(said.decode("utf-8", errors="replace"))

    def obituary(self) -> str:
        """Return the sentence about a process that ended by itself."""
        code = self._process.poll() if self._process else None
        return (
            f"{self.name} ended unexpectedly (exit code {code}); its last line: {self.last_words()}"
            f" (log: {self._errors_file})"
        )


def _since(file: Path, start_bytes: int) -> bytes:
    with file.open("rb") as stream:
        stream.seek(start_bytes)
        return stream.read()


def last_telling_line(text: str) -> str:
    """Return, in short, the last error that a service logged, else the last line with words in it.

    The frames that terminals draw around errors have no words.
    """
    telling = [line.strip(" │\t\r") for line in text.split("\n") if any(map(str.isalnum, line))]
    logged = [_row(line) for line in telling]
    errors = [row for row in logged if row.get("level") in _ERROR_LEVELS]
    row = errors[-1] if errors else next(reversed(logged), {})
    told = ": ".join(str(row[key]) for key in ("event", "error", "detail") if row.get(key))
    line = told or next(reversed(telling), "it wrote nothing")
    return line if len(line) <= _SHOWN_CHARACTERS else f"{line[:_SHOWN_CHARACTERS]} …"


def _row(line: str) -> dict[str, Any]:
    """Return a service's JSON line; empty for any other line."""
    try:
        row = json.loads(line)
    except ValueError:
        return {}
    return row if isinstance(row, dict) else {}


def wait_until(condition: Callable[[], bool], *, children: Sequence[Child], limit_s: float, what: str) -> None:
    """Return as soon as the condition holds, while all of these processes live.

    Raises:
        LocalError: one of the processes ended, or the limit passed.
    """
    end = time.monotonic() + limit_s
    while not condition():
        for child in children:
            if not child.running:
                raise LocalError(child.obituary())
        if time.monotonic() > end:
            raise LocalError(f"{what} did not happen within {limit_s:.0f} s.")
        if children:
            children[-1].ends_within(_STEP_S)
        else:
            threading.Event().wait(_STEP_S)


def _die_with_parent(orphan_signal: signal.Signals) -> Callable[[], None] | None:
    """Return what the new process runs first, so that the kernel ends it when its parent dies.

    The kernel watches the thread that started it, so other threads than the main one cannot use this.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def watch_parent() -> None:
        prctl(_PR_SET_PDEATHSIG, int(orphan_signal))
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return watch_parent
