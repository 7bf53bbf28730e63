"""Runs the stack in this process, from the first server to the last goodbye."""

import contextlib
import os
import signal
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

from deploy.local import runfile, screen
from deploy.local.errors import LocalError
from deploy.local.places import Places
from deploy.local.plan import make_plan
from deploy.local.stack import Stack

READY = "Everything runs."


def run(places: Places) -> None:
    """Start everything, show what happens, and stop everything on Ctrl-C or SIGTERM.

    Raises:
        LocalError: something cannot start or ended by itself; by then all is stopped.
    """
    places.prepare()
    with runfile.only_stack(places), _signals_interrupt(), contextlib.suppress(KeyboardInterrupt):
        runfile.end_leftovers(places)
        runfile.forget_run(places)
        stack = Stack(places=places, plan=make_plan(os.environ), env=os.environ, say=_say)
        try:
            facts = stack.up()
            _say(f"REST API: {facts['api_url']} (who and how: {places.run_file})")
            _say(f"console: {facts['console_url']}")
            _say(f"sign in as {facts['admin_email']}, password: {_password(facts, places)}")
            _say(READY)
            screen.watch(facts, places, stack.check)
        except KeyboardInterrupt:
            _ignore_signals()
            _say("stopping ...")
            raise
        finally:
            _ignore_signals()
            stack.down()
    _say("stopped")


def _password(facts: Mapping[str, Any], places: Places) -> str:
    """Return the demo's password where somebody reads along, else where it stands: a log keeps no secrets."""
    is_kept = stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    return f"see {places.run_file}" if is_kept else str(facts["admin_password"])


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Let SIGTERM and a closed terminal do what Ctrl-C does."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, _interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def report(error: LocalError) -> None:
    """Say on standard error why it does not go on."""
    sys.stdout.flush()
    sys.stderr.write(f"{error}\n")
