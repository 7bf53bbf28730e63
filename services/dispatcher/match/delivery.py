"""A delivery as the dispatcher carries it: what to send, to whom, under which claim."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from coro_events.contract.place import Place
from coro_events.rules.deliveries import DeliveryKind


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook's configuration as it was when the delivery was claimed."""

    webhook_id: UUID
    workspace_id: str
    version: int
    url: str
    # None where it cannot be opened with the keys at hand.
    secret: bytes | None
    headers: Mapping[str, str]
    # The one before the last rotation, while it still signs.
    previous_secret: bytes | None = None
    # What tells that the version expires; none while it does not.
    retirement: Mapping[str, str] = field(default_factory=dict)


# Not frozen, like the other values that are made for every delivery: freezing doubles the cost of making one.
@dataclass(slots=True)
class Happening:
    """The event of a delivery: what the body is made of."""

    event_id: UUID
    type: str
    workspace_id: str
    occurred_at: datetime
    # JSON, as it goes into the body.
    data: bytes
    traceparent: str | None
    # Where in the tree, as it was when the event was taken in; none where no version at hand tells it.
    place: Place | None = None


@dataclass(slots=True)
class Delivery:
    """A planned delivery that this replica has claimed."""

    day: date
    hook_id: UUID
    kind: DeliveryKind
    target: Target
    happening: Happening
    # How many attempts were made before.
    attempts: int
    # Names this claim; whoever records must still hold it.
    claim: UUID
    # On the monotonic clock, in seconds: from then on another replica may take it.
    leased_until: float
    # Attempts before the last replay or retry by hand; the schedule counts from there.
    attempts_before: int = 0
    # Asked for by a person, or a shadow: one attempt, and it never disables.
    manual: bool = False
