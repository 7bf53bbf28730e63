"""Start a dispatcher: `python -m services.dispatcher`."""

import gc
import json
import os
import sys

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
        return uvloop.run(run(settings, SystemClock()))
    except (CoroError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        # Some settings are read only where they are used, such as keys.
        return 2 if isinstance(error, SettingsError) else 1


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
