"""A dispatcher that is odd in one way: its clock is wrong or leaps, its heart beats fast, or it records nothing.

Run as a process: `python -m tests.support.odd_dispatcher --ahead-s 3600`, with the settings of any dispatcher. At each
SIGUSR1 its monotonic time leaps ahead by LEAP_S, as if so much of it had passed.
"""

import argparse
import asyncio
import os
import signal
import sys
from datetime import datetime, timedelta

import uvloop

from coro_events.runtime import kafka, logs
from coro_events.runtime.clock import SystemClock
from coro_events.runtime.settings import load
from services.dispatcher.app import run
from services.dispatcher.record.recorder import LINGER_S
from services.dispatcher.settings import DispatcherSettings

LEAP_S = 10.0


class WrongClock(SystemClock):
    """The machine's clock, set wrong; durations are right, as on a machine whose time was set by hand.

    Attributes:
        leapt_s: How far monotonic time has leapt.
    """

    def __init__(self, ahead_s: float, *, records: bool) -> None:
        self._ahead = timedelta(seconds=ahead_s)
        self._records = records
        self.leapt_s = 0.0

    def monotonic(self) -> float:
        """Return the monotonic time with its leaps."""
        return super().monotonic() + self.leapt_s

    async def sleep(self, duration_s: float) -> None:
        """Wait for so many seconds; where nothing is to be recorded, the wait before each record never ends."""
        if not self._records and duration_s == LINGER_S:
            await asyncio.get_running_loop().create_future()
        await super().sleep(duration_s)

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
    parser.add_argument("--record-nothing", action="store_true", help="let outcomes wait for ever")
    given = parser.parse_args()
    kafka.HEARTBEAT_INTERVAL_MS = given.heartbeat_ms
    settings = load(DispatcherSettings, os.environ)
    logs.configure(service="dispatcher", level=settings.log_level)
    clock = WrongClock(given.ahead_s, records=not given.record_nothing)

    def leap(*_: object) -> None:
        clock.leapt_s += LEAP_S

    signal.signal(signal.SIGUSR1, leap)
    return uvloop.run(run(settings, clock))


if __name__ == "__main__":
    sys.exit(main())
