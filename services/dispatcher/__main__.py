"""Start a dispatcher: `python -m services.dispatcher`."""

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
    try:
        return uvloop.run(run(settings, SystemClock()))
    except (CoroError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
