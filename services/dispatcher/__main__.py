"""Start a dispatcher: `python -m services.dispatcher`."""

import asyncio
import gc
import json
import os
import sys
from typing import NoReturn

import uvloop

from coro_events.errors import CoroError, SettingsError
from coro_events.runtime import logs
from coro_events.runtime.clock import SystemClock
from coro_events.runtime.settings import load
from services.dispatcher.app import run
from services.dispatcher.settings import DispatcherSettings


def main() -> int:
    """Load the settings and run; return 0 after a signal, 1 after a failure, 2 for settings that cannot be used."""
    try:
        settings = load(DispatcherSettings, os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if "--print-settings" in sys.argv[1:]:
        sys.stdout.write(json.dumps(settings.masked(), indent=2) + "\n")
        return 0
    logs.configure(service="dispatcher", level=settings.log_level)
    spare_the_collector()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            end_at_once(runner.run(run(settings, SystemClock())))
    except (CoroError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        # Some settings are read only where they are used, such as keys.
        return 2 if isinstance(error, SettingsError) else 1


def end_at_once(exit_code: int) -> NoReturn:
    """End the process without waiting for what is left open.

    All that counts is closed or given up by now. The interpreter's own end would wait for threads that look names up,
    and for tasks whose connections lead to a server that hangs, and neither has a limit.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


def spare_the_collector() -> None:
    """Take what is there at the start out of garbage collection, and collect the rest less often.

    A delivery makes a hundred short-lived objects and no cycles worth hurrying for; with the defaults each full
    collection walks all imported modules again. What it saves was not measured by itself.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


if __name__ == "__main__":
    sys.exit(main())
