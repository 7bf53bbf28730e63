"""The chore that asks once a day whether the tables still agree with one another, and reports what it finds."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Gauge

from coro_events.runtime.logs import get_logger
from coro_events.store.housekeeping import deliveries_without_event, outbox_age_s, stuck_claims
from coro_events.store.unit import Database
from services.scheduler.planned import Planned

_log = get_logger("chores")

_EVERY = timedelta(days=1)
# Days before were asked about when they were young.
_DAYS = 3
_OVERDUE_S = 900.0
_OLD_OUTBOX_S = 900.0


class Consistency:
    """Satisfies `Chore`; each process keeps to a day between two looks for itself."""

    name = "consistency"

    def __init__(self, database: Database, registry: CollectorRegistry) -> None:
        self._database = database
        self._asked_at: datetime | None = None
        self._orphans = Gauge(
            "coro_scheduler_deliveries_without_event",
            "Deliveries of the last three days whose event is not there, at the last daily look; up to 1,000 a day.",
            registry=registry,
        )
        self._stuck = Gauge(
            "coro_scheduler_stuck_claims",
            "Claims of deliveries that ended a quarter of an hour ago and were taken up by nobody, up to 1,000.",
            registry=registry,
        )
        self._outbox = Gauge(
            "coro_scheduler_outbox_age_seconds",
            "Age of the oldest message in the outbox at the last daily look.",
            registry=registry,
        )

    async def run_once(self, now: datetime) -> Mapping[str, object]:
        """Look, unless that was done less than a day ago."""
        if self._asked_at is not None and timedelta(0) <= now - self._asked_at < _EVERY:
            return {"asked": False}
        orphans = 0
        for offset in range(_DAYS):
            async with self._database.read() as connection:
                orphans += await deliveries_without_event(connection, now.date() - timedelta(days=offset))
        async with self._database.read() as connection:
            stuck = await stuck_claims(connection, overdue_s=_OVERDUE_S)
            outbox_s = await outbox_age_s(connection)
        self._orphans.set(orphans)
        self._stuck.set(stuck)
        self._outbox.set(outbox_s)
        self._asked_at = now
        found = {"deliveries_without_event": orphans, "stuck_claims": stuck, "outbox_age_s": round(outbox_s, 1)}
        if orphans or stuck or outbox_s > _OLD_OUTBOX_S:
            _log.error("consistency.broken", **found)
        return {"asked": True, **found}

    async def preview(self, now: datetime) -> Sequence[Planned]:
        """Return nothing: it changes nothing."""
        del now
        return []
