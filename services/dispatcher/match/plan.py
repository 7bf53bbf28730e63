"""From matches to planned deliveries: which are handed over at once and which wait in the database."""

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from coro_events.contract.bodies import TEST_DATA
from coro_events.contract.envelope import Event
from coro_events.contract.place import Place
from coro_events.contract.triggers import TEST_TYPE
from coro_events.rules.deliveries import DeliveryKind
from coro_events.store.partitions import DAYS_BACK
from services.dispatcher.intake.batch import TestRequest
from services.dispatcher.match.delivery import Delivery, Happening, Target

# Asked once for a batch: webhook id to how many deliveries are wanted, to how many of them its lane takes.
Room = Callable[[Mapping[UUID, int]], Mapping[UUID, int]]


@dataclass(frozen=True, slots=True)
class Match:
    """One webhook and the events of a batch that it wants."""

    target: Target
    event_ids: list[UUID]
    kind: DeliveryKind = DeliveryKind.EVENT


@dataclass(slots=True)
class Plan:
    """The deliveries of a batch, all to be inserted."""

    # Inserted as ours and sent at once.
    claimed: list[Delivery]
    # Inserted as nobody's and due now, because their lanes are full.
    unclaimed: list[Delivery]
    # How many events are of a workspace that is not known yet; stored, and replayable once it is.
    homeless: int = 0


def day_of(occurred_at: datetime, today: date) -> date:
    """Return the partition of an event: the day of its own time, kept within the days that are there.

    A clock of the future is filed under tomorrow, a very old event under the oldest day.

    Args:
        occurred_at: When it happened; aware, UTC.
        today: The day by our clock, in UTC.
    """
    day = occurred_at.date()
    return day if day == today else min(max(day, today - timedelta(days=DAYS_BACK)), today + timedelta(days=1))


def happening_of(event: Event, place: Place | None = None) -> Happening:
    """Return what a body is made of."""
    return Happening(
        event_id=event.id,
        type=event.trigger.value,
        workspace_id=event.workspace_id,
        occurred_at=event.occurred_at,
        data=event.data,
        traceparent=event.traceparent,
        place=place,
    )


def random_ids(count: int) -> list[UUID]:
    """Return random ids (UUID version 4); one call of the system for all of them, because each is dear."""
    chance = os.urandom(16 * count)
    return [UUID(bytes=chance[start : start + 16], version=4) for start in range(0, 16 * count, 16)]


def plan_deliveries(
    matches: Iterable[Match],
    events: dict[UUID, Event],
    *,
    room: Room,
    claim: UUID,
    leased_until: float,
    today: date,
    places: Mapping[UUID, Place | None] = MappingProxyType({}),
) -> Plan:
    """Make one delivery for each webhook and event, claiming as many as each lane has room for.

    Args:
        matches: Which webhook wants which events; in the order in which the events were read.
        events: The batch, by id.
        room: How many deliveries the lanes take of those that are wanted; asked once, for all webhooks of the batch,
            so that no two are promised the same place.
        claim: The claim of those handed over.
        leased_until: When that claim ends, on the monotonic clock, in seconds.
        today: The day by our clock, in UTC.
        places: Where events happened, by id; only of those whose bodies tell it.
    """
    happenings = {
        key: (day_of(event.occurred_at, today), happening_of(event, places.get(key))) for key, event in events.items()
    }
    plan = Plan(claimed=[], unclaimed=[])
    matches = list(matches)
    hook_ids = iter(random_ids(sum(len(match.event_ids) for match in matches)))
    granted = room({match.target.webhook_id: len(match.event_ids) for match in matches})
    for match in matches:
        free = granted[match.target.webhook_id]
        for event_id in match.event_ids:
            day, happening = happenings[event_id]
            delivery = Delivery(
                day=day,
                hook_id=next(hook_ids),
                kind=match.kind,
                target=match.target,
                happening=happening,
                attempts=0,
                claim=claim,
                leased_until=leased_until,
                manual=match.kind is DeliveryKind.SHADOW,
            )
            (plan.claimed if free > 0 else plan.unclaimed).append(delivery)
            free -= 1
    return plan


def plan_tests(
    requests: Iterable[TestRequest],
    *,
    new: Collection[UUID],
    targets: Mapping[UUID, Target],
    claim: UUID,
    leased_until: float,
    today: date,
    places: Mapping[UUID, Place | None] = MappingProxyType({}),
) -> list[Delivery]:
    """Make one delivery for each new request whose webhook still exists.

    A test is handed over whether or not its lane has room: a person waits for it, and they are few.
    """
    return [
        Delivery(
            day=day_of(request.requested_at, today),
            hook_id=request.test_id,
            kind=DeliveryKind.TEST,
            target=targets[request.webhook_id],
            happening=Happening(
                event_id=request.test_id,
                type=TEST_TYPE,
                workspace_id=request.workspace_id,
                occurred_at=request.requested_at,
                data=TEST_DATA,
                traceparent=None,
                place=places.get(request.test_id),
            ),
            attempts=0,
            claim=claim,
            leased_until=leased_until,
            manual=True,
        )
        for request in requests
        if request.test_id in new and request.webhook_id in targets
    ]
