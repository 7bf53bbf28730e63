"""A dispatcher that is odd in one way: its clock is wrong, or its heart beats fast.

Run as a process: `python -m tests.support.odd_dispatcher --ahead-s 3600`, with the settings of any dispatcher.
"""

import argparse
import os
import sys
from datetime import datetime, timedelta

import uvloop

from coro_events.runtime import kafka, logs
from coro_events.runtime.clock import SystemClock
from coro_events.runtime.settings import load
from services.dispatcher.app import run
from services.dispatcher.settings import DispatcherSettings


class WrongClock(SystemClock):
    """The machine's clock, set wrong; durations are right, as on a machine whose time was set by hand."""

    def __init__(self, ahead_s: float) -> None:
        self._ahead = timedelta(seconds=ahead_s)

    def now(self) -> datetime:
        """Return the wrong wall-clock time."""
        return super().now() + self._ahead


def main() -> int:
    """Run a dispatcher; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ahead-s", type=float, default=0, help="how far the wall clock is ahead")
    parser.add_argument(
        "--heartbeat-ms", type=int, default=kafka.HEARTBEAT_INTERVAL_MS, help="how soon it notices a rebalance"
    )
    given = parser.parse_args()
    kafka.HEARTBEAT_INTERVAL_MS = given.heartbeat_ms
    settings = load(DispatcherSettings, os.environ)
    logs.configure(service="dispatcher", level=settings.log_level)
    return uvloop.run(run(settings, WrongClock(given.ahead_s)))


if __name__ == "__main__":
    sys.exit(main())
