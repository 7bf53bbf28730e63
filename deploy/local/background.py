"""Starts and stops the stack without keeping a terminal."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys

from deploy.local import runfile
from deploy.local.errors import LocalError
from deploy.local.places import CHECKOUT, Places
from deploy.local.postgres_home import remove_home
from deploy.local.processes import wait_until
from deploy.local.supervise import READY

_STOP_LIMIT_S = 120
_STEP_S = 0.1


def start(places: Places) -> None:
    """Start a supervisor in the background and return when everything runs.

    Raises:
        LocalError: a stack runs already, or this one could not start.
    """
    places.prepare()
    if pid := runfile.supervisor_pid(places):
        raise LocalError(f"The stack of this checkout runs already (process {pid}); `make stop` stops it.")
    output_file, errors_file = places.logs / "supervisor.log", places.logs / "supervisor.err"
    with output_file.open("wb") as output, errors_file.open("wb") as errors:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", "run"],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
    try:
        with output_file.open("r", encoding="utf-8") as progress:
            while not _copy_progress(progress.read()):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    supervisor.wait(_STEP_S)
                    _copy_progress(progress.read())
                    raise LocalError(errors_file.read_text(encoding="utf-8").strip() or "The stack stopped.")
    except KeyboardInterrupt:
        supervisor.terminate()
        supervisor.wait()
        raise


def stop(places: Places) -> None:
    """Stop the supervisor and with it everything.

    Raises:
        LocalError: nothing runs, or it did not end in time.
    """
    pid = runfile.supervisor_pid(places)
    if pid is None:
        raise LocalError("The stack of this checkout is not running.")
    os.kill(pid, signal.SIGTERM)
    wait_until(
        lambda: runfile.supervisor_pid(places) is None,
        children=[],
        limit_s=_STOP_LIMIT_S,
        what="The end of the stack",
    )


def clean(places: Places) -> None:
    """Remove all data, logs, keys and downloads of the stack.

    Raises:
        LocalError: the stack is running.
    """
    if pid := runfile.supervisor_pid(places):
        raise LocalError(f"The stack is running (process {pid}); stop it first.")
    remove_home(places.postgres)
    shutil.rmtree(places.local, ignore_errors=True)


def _copy_progress(text: str) -> bool:
    """Show what the supervisor said; tell whether it said that everything runs."""
    sys.stdout.write(text)
    sys.stdout.flush()
    return READY in text
