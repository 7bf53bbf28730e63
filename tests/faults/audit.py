"""The audit: what was accepted against what is recorded and what arrived."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
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
           d.due_at, d.finished_at, coalesce(a.numbers, 0) as numbers, coalesce(a.failures, 0) as failures, a.started_at
    from deliveries d
    join events e on e.day = d.day and e.id = d.event_id
    join webhooks w on w.id = d.webhook_id
    left join (
        select hook_id, count(*) as numbers, count(error) as failures, min(started_at) as started_at
        from attempts group by hook_id
    ) a on a.hook_id = d.hook_id
    """
)

_OPEN = text("select count(*) from deliveries where state = 'pending' and attempts < :tries")
_PENDING = text("select hook_id, leased_until from deliveries where state = 'pending'")
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


async def pending_now(stand: Stand) -> dict[str, datetime | None]:
    """Return what is open at this moment: hook id to the end of the lease, none where nobody has claimed it."""
    async with stand.database.read() as connection:
        return {str(row.hook_id): row.leased_until for row in await connection.rows(_PENDING)}


@dataclass(frozen=True)
class Left:
    """What a dispatcher that went away left behind, by hook id.

    Attributes:
        waiting: Due or claimed by it: what others had to take up.
        in_flight: Of these, what it had sent and not recorded.
    """

    waiting: set[str]
    in_flight: set[str]


def left_by_the_gone(audited: Audit, pending: Mapping[str, datetime | None]) -> Left:
    """Tell what the one that went away had in its hands from what the others had, which went on.

    Nobody may take a claimed row before its lease is over. So whoever recorded an attempt that began before held the
    claim itself and is alive; and of what the gone one held, a request that came before is its own.

    Args:
        audited: After all is over.
        pending: What was open right after it went, see `pending_now`.
    """
    begun = {str(row.hook_id): row.started_at for row in audited.rows}
    of_gone = {
        hook_id: end
        for hook_id, end in pending.items()
        if end is not None and (begun[hook_id] is None or begun[hook_id] >= end)
    }
    sent = {
        arrival.hook_id
        for arrival in audited.arrivals
        if (end := of_gone.get(arrival.hook_id)) is not None and arrival.at < end.timestamp()
    }
    due = {hook_id for hook_id, end in pending.items() if end is None}
    return Left(of_gone.keys() | due, sent)


def in_flight_at(audited: Audit, at: datetime) -> set[str]:
    """Return what had come to the receiver by an instant and was recorded later, by hook id."""
    recorded = {str(row.hook_id) for row in audited.rows if row.finished_at and row.finished_at <= at}
    return {arrival.hook_id for arrival in audited.arrivals if arrival.at <= at.timestamp()} - recorded


def picked_up_s(audited: Audit, hook_ids: Iterable[str], since: datetime) -> float:
    """Return how long after an instant the last of these came, or came again, in seconds; 0 if before it."""
    last_at = {arrival.hook_id: arrival.at for arrival in sorted(audited.arrivals, key=lambda one: one.at)}
    return max([0.0, *(last_at.get(hook_id, math.inf) - since.timestamp() for hook_id in hook_ids)])


def recovered_s(audited: Audit, hook_ids: Collection[UUID], since: datetime) -> float:
    """Return how long after an instant the last of these deliveries was recorded, in seconds; 0 if before it."""
    ends: list[datetime] = [row.finished_at for row in audited.rows if row.hook_id in hook_ids and row.finished_at]
    return max([0.0, *[(end - since).total_seconds() for end in ends]])
