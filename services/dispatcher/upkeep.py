"""What a dispatcher does beside delivering: hold back, replay, notice slow receivers, measure the backlog."""

import asyncio

from coro_events.errors import StoreUnavailableError
from coro_events.runtime.logs import get_logger
from services.dispatcher.bells import Bells, Progress, first_of
from services.dispatcher.deliver.lanes import Lanes
from services.dispatcher.deliver.ports import Backlog, DueDeliveries
from services.dispatcher.hold.ports import StoppedDeliveries
from services.dispatcher.metrics import Metrics
from services.dispatcher.replay.ports import Replays

_log = get_logger("upkeep")

# Rows that one round holds back: short enough to let others at the table.
HOLD_BATCH = 5_000

# How often to look for what is to be held back when no bell has rung, in claim intervals.
HOLD_INTERVALS = 20

REVIEW_INTERVAL_S = 0.25

# The backlog is counted in the database, so not too often.
BACKLOG_INTERVAL_S = 15.0


class Upkeep:
    """The loops that keep house; each returns when `stopping` is set."""

    def __init__(
        self,
        *,
        lanes: Lanes,
        due: DueDeliveries,
        stopped: StoppedDeliveries,
        replays: Replays,
        metrics: Metrics,
        bells: Bells,
        progress: Progress,
        stopping: asyncio.Event,
        interval_s: float,
    ) -> None:
        self._lanes = lanes
        self._due = due
        self._stopped = stopped
        self._replays = replays
        self._metrics = metrics
        self._bells = bells
        self._progress = progress
        self._stopping = stopping
        self._interval_s = interval_s
        self.backlog = Backlog(due=0, oldest_s=0.0)

    async def hold(self) -> None:
        """Move what waits for disabled and removed webhooks out of the way, when one was stopped and now and then."""
        while not self._stopping.is_set():
            self._progress.went_round("hold")
            self._bells.webhook_stopped.clear()
            held = 0
            try:
                held = await self._stopped.hold_back(HOLD_BATCH)
            except StoreUnavailableError as error:
                _log.warning("hold.store_unavailable", detail=error.detail)
            if held:
                _log.info("deliveries.held_back", deliveries=held)
                continue
            await first_of(self._bells.webhook_stopped, HOLD_INTERVALS * self._interval_s)

    async def replay(self) -> None:
        """Take the steps of replays that are due."""
        while not self._stopping.is_set():
            self._progress.went_round("replay")
            step = None
            try:
                step = await self._replays.step()
            except StoreUnavailableError as error:
                _log.warning("replay.store_unavailable", detail=error.detail)
            if step is None:
                await first_of(self._stopping, self._interval_s)
                continue
            _log.info("replay.stepped", replay_id=str(step.replay_id), replayed=step.replayed, state=step.state)
            if step.replayed:
                self._metrics.replayed.inc(step.replayed)
                self._bells.work_is_due.set()

    async def review(self) -> None:
        """Let the lanes notice attempts that take long."""
        while not self._stopping.is_set():
            self._progress.went_round("review")
            self._lanes.review()
            self._note_who_has_work()
            await first_of(self._stopping, REVIEW_INTERVAL_S)

    def _note_who_has_work(self) -> None:
        """Tell apart those that stand still for want of work and those that have some and do not do it."""
        lanes = self._lanes
        self._progress.note("record", has_work=lanes.unrecorded > 0)
        # What waits may have no permit until outcomes are recorded, and then that is the record's affair.
        may_send = lanes.waiting > 0 and lanes.unrecorded == 0
        self._progress.note("deliver", has_work=lanes.in_flight > 0 or may_send)

    async def measure(self) -> None:
        """Count the backlog now and then, for the metrics."""
        while not self._stopping.is_set():
            self._progress.went_round("measure")
            try:
                self.backlog = await self._due.backlog()
            except StoreUnavailableError as error:
                _log.warning("backlog.store_unavailable", detail=error.detail)
            await first_of(self._stopping, BACKLOG_INTERVAL_S)
