"""Start the scheduler: `python -m services.scheduler`."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from coro_events.errors import CoroError, SettingsError
from coro_events.runtime import logs
from coro_events.runtime.clock import Clock, SystemClock
from coro_events.runtime.settings import load
from services.scheduler.app import run, run_dry, run_once
from services.scheduler.settings import SchedulerSettings

# A clock may be ahead of ours by so much and still mean the present.
_PRESENT = timedelta(minutes=5)


def parse_time(text: str) -> datetime:
    """Read an ISO time; without an offset it is UTC."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ISO time such as 2026-03-02T10:00:00Z") from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m services.scheduler",
        description="Sunsets of webhook versions, mails and housekeeping; of several, one works and the others wait.",
    )
    parser.add_argument("--once", action="store_true", help="run every chore once, print a JSON line for each, and end")
    parser.add_argument(
        "--now",
        type=parse_time,
        metavar="ISO-TIME",
        help="with this time in place of the present; implies --once; what is too old by then is dropped for good",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print what every chore would do, change nothing, and end; --now counts"
    )
    parser.add_argument("--json", action="store_true", help="with --dry-run: a JSON line for each thing, not a table")
    parser.add_argument("--print-settings", action="store_true", help="print the settings, secrets masked, and end")
    return parser.parse_args(arguments)


def check_date(settings: SchedulerSettings, now: datetime, clock: Clock) -> None:
    """Refuse to live in the future where data is real: the chores would drop what is not old yet.

    Raises:
        SettingsError: The time is in the future and the environment is production.
    """
    if settings.environment == "production" and now > clock.now() + _PRESENT:
        raise SettingsError("--now must not be in the future with CORO_ENVIRONMENT=production")


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run; return the exit code: 0 well, 1 failed, 2 cannot be used like this."""
    asked = parse_arguments(arguments)
    clock = SystemClock()
    try:
        settings = load(SchedulerSettings, environ)
        if asked.print_settings:
            sys.stdout.write(f"{json.dumps(settings.masked(), indent=2)}\n")
            return 0
        now = asked.now or clock.now()
        if asked.dry_run:
            logs.configure(service="scheduler", level="warning")
            return asyncio.run(run_dry(settings, clock=clock, now=now, as_json=asked.json))
        check_date(settings, now, clock)
        if asked.once or asked.now:
            logs.configure(service="scheduler", level="warning")
            return asyncio.run(run_once(settings, clock=clock, now=now))
        logs.configure(service="scheduler", level=settings.log_level)
        return asyncio.run(run(settings, clock=clock))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except CoroError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
