"""Named tasks that live and die together, signals, and the drain deadline.

A process is a set of named tasks. When a signal arrives, `stopping` is set and each task ends its work by itself; what
has not ended at the drain deadline is cancelled. A task that ends or fails before that stops the whole process: a
dispatcher without its recorder is worse than none.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable

from coro_events.runtime.logs import get_logger

_log = get_logger("supervisor")

# How long a task that was cancelled at the drain deadline may take to end.
CANCEL_WITHIN_S = 1.0


class Supervisor:
    """Runs named tasks until a signal or the first death, then drains."""

    def __init__(self, *, drain_s: float) -> None:
        self.stopping = asyncio.Event()
        self._drain_s = drain_s
        self._tasks: dict[asyncio.Task[None], str] = {}

    def start(self, name: str, work: Awaitable[None]) -> None:
        """Start one task; its name is in every line about it."""
        task = asyncio.ensure_future(_run(work))
        task.set_name(name)
        self._tasks[task] = name

    def stop(self) -> None:
        """Ask every task to end."""
        self.stopping.set()

    def on_signals(self) -> None:
        """Let SIGTERM and SIGINT ask every task to end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)

    async def run(self, drain: Callable[[], Awaitable[None]] | None = None) -> int:
        """Wait for the end; return the exit code: 0 after a signal, 1 after a task's death or a failure while draining.

        `drain` runs once after the tasks were asked to end, within the deadline.
        """
        stopper = asyncio.ensure_future(self.stopping.wait())
        await asyncio.wait([stopper, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        asked = self.stopping.is_set()
        died = [task for task in self._tasks if task.done() and (not asked or _has_failed(task))]
        for task in died:
            self._report_death(task)
        stopper.cancel()
        self.stopping.set()
        failed = await self._drain(drain)
        return 1 if died or failed else 0

    async def _drain(self, drain: Callable[[], Awaitable[None]] | None) -> bool:
        """Wait for the rest up to the deadline; return whether anything failed."""
        pending = {task for task in self._tasks if not task.done()}
        if drain is not None:
            draining = asyncio.ensure_future(_run(drain()))
            draining.set_name("drain")
            pending.add(draining)
        if not pending:
            return False
        _log.info("process.draining", tasks=sorted(task.get_name() for task in pending), deadline_s=self._drain_s)
        done, late = await asyncio.wait(pending, timeout=self._drain_s)
        for task in late:
            _log.warning("process.drain_overrun", task=task.get_name())
            task.cancel()
        if late:
            # A task may take its cancelling badly, such as one whose connection leads to a server that hangs.
            await asyncio.wait(late, timeout=CANCEL_WITHIN_S)
        failed = [task for task in done if _has_failed(task)]
        for task in failed:
            self._report_death(task)
        return bool(failed)

    def _report_death(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        _log.error("task.died", task=task.get_name(), error=repr(error), exc_info=error)


async def _run(work: Awaitable[None]) -> None:
    await work


def _has_failed(task: "asyncio.Task[None]") -> bool:
    return not task.cancelled() and task.exception() is not None
