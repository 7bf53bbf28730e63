"""Start the config service: `python -m services.api [--print-settings]`."""

import json
import os
import sys

import uvloop

from coro_events.errors import SchemaBehindError, SettingsError, StoreUnavailableError
from coro_events.runtime.clock import SystemClock
from coro_events.runtime.logs import configure
from coro_events.runtime.settings import load
from services.api.app import SERVICE, run
from services.api.settings import ApiSettings

PRINT_SETTINGS = "--print-settings"


def main(arguments: list[str]) -> int:
    """Run until a signal; return 0, 1 for a failure, 2 for settings or arguments that cannot be used."""
    if arguments not in ([], [PRINT_SETTINGS]):
        sys.stderr.write(f"usage: python -m services.api [{PRINT_SETTINGS}]\n")
        return 2
    try:
        settings = load(ApiSettings, os.environ)
        if arguments:
            sys.stdout.write(json.dumps(settings.masked(), indent=2) + "\n")
            return 0
        configure(service=SERVICE, level=settings.log_level)
        return uvloop.run(run(settings, SystemClock()))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (SchemaBehindError, StoreUnavailableError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
