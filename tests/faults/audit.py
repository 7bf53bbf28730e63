"""The audit: what was accepted against what is recorded and what arrived."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Row

from coro_events.errors import StoreUnavailableError
from services.dispatcher.record.retry import MAX_ATTEMPTS
from tests.support.stand import Arrival, Stand
from tests.support.waiting import wait_until

_ROWS = text(
    """
    select d.hook_id, w.url, w.state as webhook_state, w.disabled_reason, e.source_id, d.state, d.attempts, d.claim,
           d.due_at, d.finished_at, coalesce(a.numbers, 0) as numbers, coalesce(a.failures, 0) as failures
    from deliveries d
    join events e on e.day = d.day and e.id = d.event_id
    join webhooks w on w.id = d.webhook_id
    left join (
        select hook_id, count(*) as numbers, count(error) as failures from attempts group by hook_id
    ) a on a.hook_id = d.hook_id
    """
)

_OPEN = text("select count(*) from deliveries where state = 'pending' and attempts < :tries")
_CLAIMED = text("select hook_id from deliveries where state = 'pending' and claim is not null")
_STORED = text("select count(*) from events where source_id = any (cast(:ids as text[]))")


@dataclass(frozen=True)
class Audit:
    """What came of the accepted events.

    Attributes:
        rows: Every delivery, with how many attempts are recorded.
        arrivals: Every request.
        owed: Deliveries of the accepted events, planned or not.
        unplanned: Owed and not in the table.
        unexplained: In the table, and neither arrived nor with a recorded reason.
        phantoms: Recorded as delivered and never arrived.
        strangers: Requests whose hook id is not the one of their webhook's and event's only delivery.
        duplicated: Hook id to how many requests came beyond the recorded attempts.
    """

    rows: Sequence[Row[Any]]
    arrivals: Sequence[Arrival]
    owed: int
    unplanned: int
    unexplained: int
    phantoms: int
    strangers: int
    duplicated: Counter[str]

    @property
    def arrived(self) -> int:
        """How many deliveries came at least once."""
        return len({arrival.hook_id for arrival in self.arrivals})

    @property
    def lost(self) -> int:
        """How many deliveries nobody can account for."""
        return self.unplanned + self.unexplained + self.phantoms

    @property
    def duplicates(self) -> int:
        """How many requests came beyond the recorded attempts."""
        return self.duplicated.total()


async def audit(stand: Stand, accepted: Collection[int], paths: Sequence[str]) -> Audit:
    """Hold what is recorded and what arrived against what was accepted.

    Args:
        stand: Where it happened.
        accepted: Numbers of the events that Kafka has acknowledged.
        paths: The webhooks' paths; each wants every event.
    """
    async with stand.database.read() as connection:
        rows = await connection.rows(_ROWS)
    arrivals = await stand.arrivals()
    planned = {(row.url, int(row.source_id)): str(row.hook_id) for row in rows}
    owed = {(stand.url(path), number) for path in paths for number in accepted}
    requests = Counter(arrival.hook_id for arrival in arrivals)
    came = [row for row in rows if requests[str(row.hook_id)]]
    missing = [row for row in rows if not requests[str(row.hook_id)]]
    return Audit(
        rows=rows,
        arrivals=arrivals,
        owed=len(owed),
        unplanned=len(owed - planned.keys()),
        unexplained=sum(not _has_reason(row) for row in missing),
        phantoms=sum(row.state == "delivered" for row in missing),
        strangers=sum(planned.get((stand.url(one.path), one.number)) != one.hook_id for one in arrivals),
        duplicated=Counter(
            {str(row.hook_id): extra for row in came if (extra := requests[str(row.hook_id)] - row.numbers) > 0}
        ),
    )


def _has_reason(row: Row[Any]) -> bool:
    """Tell whether the record says why a delivery did not arrive."""
    return bool(row.failures or (row.state == "held" and row.disabled_reason))


async def until_all_recorded(
    stand: Stand, accepted: Collection[int], *, limit_s: float, tries: int = MAX_ATTEMPTS
) -> None:
    """Wait until every accepted event is planned and no delivery is open that was tried less often than so."""
    ids = [str(number) for number in accepted]

    async def done() -> bool:
        stand.check()
        try:
            async with stand.database.read() as connection:
                stored = await connection.scalar(_STORED, {"ids": ids})
                return bool(stored == len(ids) and await connection.scalar(_OPEN, {"tries": tries}) == 0)
        except StoreUnavailableError:
            # Our own connections broke with those of the dispatchers.
            return False

    await wait_until(done, what=f"{len(ids)} events to be delivered", limit_s=limit_s, every_s=0.1)


async def until_arrived(stand: Stand, count: int, *, limit_s: float = 60) -> None:
    """Wait until so many requests came to the receiver."""

    async def enough() -> bool:
        stand.check()
        return bool((await stand.statistics())["requests"] >= count)

    await wait_until(enough, what=f"{count} requests at the receiver", limit_s=limit_s, every_s=0.05)


@dataclass(frozen=True)
class Held:
    """What dispatchers had in their hands at one moment, by hook id.

    Attributes:
        all: Claimed: waiting in memory, under way, or over and not yet recorded.
        in_flight: Of these, what had come to the receiver: begun and not recorded.
    """

    all: set[UUID]
    in_flight: set[UUID]


async def held_now(stand: Stand) -> Held:
    """Return what is claimed at this moment, and what of it is in flight."""
    async with stand.database.read() as connection:
        rows = await connection.rows(_CLAIMED)
    claimed = {row.hook_id for row in rows}
    return Held(claimed, claimed & {UUID(arrival.hook_id) for arrival in await stand.arrivals()})


def recovered_s(audited: Audit, hook_ids: Collection[UUID], since: datetime) -> float:
    """Return how long after an instant the last of these deliveries was recorded, in seconds; 0 if before it."""
    ends: list[datetime] = [row.finished_at for row in audited.rows if row.hook_id in hook_ids and row.finished_at]
    return max([0.0, *[(end - since).total_seconds() for end in ends]])
