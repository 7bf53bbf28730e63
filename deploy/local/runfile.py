"""What a running stack tells others: who supervises it, which processes it has, where everything is."""

import contextlib
import fcntl
import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

from deploy.local.errors import LocalError
from deploy.local.places import Places, read_json, write_private
from deploy.local.processes import Child, wait_until

_LEFTOVER_LIMIT_S = 10


@contextmanager
def only_stack(places: Places) -> Iterator[None]:
    """Be the one supervisor of this checkout.

    Raises:
        LocalError: another one lives; names its process id.
    """
    with places.lock_file.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LocalError(
                f"The stack of this checkout runs already (process {_pid_in(lock)}); `make stop` stops it."
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def supervisor_pid(places: Places) -> int | None:
    """Return the process id of the living supervisor, or None where there is none."""
    try:
        with places.lock_file.open("r", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _pid_in(lock)
    except FileNotFoundError:
        return None
    return None


def note_children(places: Places, children: Mapping[str, Child]) -> None:
    """Write down which processes the supervisor started."""
    rows = {name: {"pid": child.pid, "born": _born(child.pid)} for name, child in children.items()}
    write_private(places.children_file, json.dumps(rows))


def end_leftovers(places: Places) -> None:
    """Wait for processes of a supervisor that was killed, which are ending by themselves; insist after a while."""
    rows = read_json(places.children_file) or {}
    for name, row in rows.items():
        pid, born = row["pid"], row["born"]
        if born is None:
            continue
        with contextlib.suppress(LocalError):
            wait_until(
                partial(_gone, pid, born),
                children=[],
                limit_s=_LEFTOVER_LIMIT_S,
                what=f"The end of {name}",
            )
        if not _gone(pid, born):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    places.children_file.unlink(missing_ok=True)


def write_run_file(places: Places, facts: Mapping[str, Any]) -> None:
    """Tell where everything is; secrets included, so only the owner can read it."""
    write_private(places.run_file, json.dumps(facts, indent=2) + "\n")


def forget_run(places: Places) -> None:
    """Take back what was told: nothing runs any more."""
    places.run_file.unlink(missing_ok=True)
    places.children_file.unlink(missing_ok=True)


def _pid_in(lock: IO[str]) -> int:
    lock.seek(0)
    return int(lock.read().strip() or 0)


def _gone(pid: int, born: str) -> bool:
    return _born(pid) != born


def _born(pid: int) -> str | None:
    """Return when a process started, in the kernel's ticks; None where it is gone or the kernel does not tell."""
    if sys.platform != "linux":
        return None
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, born = after_name[0], after_name[19]
    return None if state in {"Z", "X"} else born
