"""Fakes of the scheduler's ports; tests/contract/scheduler holds them to the promises of the real ones."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from coro_events.errors import StoreUnavailableError
from services.scheduler.planned import Planned


class Place:
    """Where the fake leaders sit: at most one at a time.

    Attributes:
        holder: Who leads.
        is_away: Whether nobody can be asked.
    """

    def __init__(self) -> None:
        self.holder: FakeLeadership | None = None
        self.is_away = False


class FakeLeadership:
    """Satisfies `Leadership` in memory."""

    def __init__(self, place: Place) -> None:
        self._place = place

    async def seek(self) -> bool:
        if self._place.is_away:
            if self._place.holder is self:
                self._place.holder = None
            raise StoreUnavailableError
        if self._place.holder is None:
            self._place.holder = self
        return self._place.holder is self

    async def resign(self) -> None:
        if self._place.holder is self:
            self._place.holder = None


class FakePartitionStore:
    """Satisfies `PartitionStore` in memory.

    Attributes:
        names: What there is.
        is_busy: Whether every change fails, as when the tables are locked.
    """

    TABLES = ("events", "deliveries", "attempts")

    def __init__(self) -> None:
        self.names: list[str] = []
        self.is_busy = False

    async def make(self, first: date, last: date) -> list[str]:
        days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
        missing = [f"{table}_{day:%Y%m%d}" for day in days for table in self.TABLES]
        missing = [name for name in missing if name not in self.names]
        if missing and self.is_busy:
            raise StoreUnavailableError
        self.names += missing
        return missing

    async def drop(self, before: date) -> list[str]:
        old = [name for name in self.names if name[-8:] < f"{before:%Y%m%d}"]
        old.sort(key=lambda name: name[-8:])
        if old and self.is_busy:
            raise StoreUnavailableError
        self.names = [name for name in self.names if name not in old]
        return old

    async def compare(self, first: date, last: date, before: date) -> tuple[list[date], list[date]]:
        days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
        missing = [day for day in days if any(f"{table}_{day:%Y%m%d}" not in self.names for table in self.TABLES)]
        old = {date.fromisoformat(name[-8:]) for name in self.names if name[-8:] < f"{before:%Y%m%d}"}
        return missing, sorted(old)


class FakeChore:
    """Satisfies `Chore`: notes when it ran, and fails when it is told to.

    Attributes:
        runs: The time of each run.
        error: What the next runs raise; none to end well.
    """

    def __init__(self, name: str, error: Exception | None = None) -> None:
        self.name = name
        self.error = error
        self.runs: list[datetime] = []

    async def run_once(self, now: datetime) -> Mapping[str, object]:
        self.runs.append(now)
        if self.error is not None:
            raise self.error
        return {"number": len(self.runs)}

    async def preview(self, now: datetime) -> Sequence[Planned]:
        return [Planned("run", self.name, detail=now.isoformat())]
