"""What this room needs: the webhook it is about, one stored event, its delivery, and where a workspace stands."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from coro_events.rules.deliveries import DeliveryState
from coro_events.rules.matching import Wish
from coro_events.rules.webhooks import WebhookState


@dataclass(frozen=True, slots=True)
class Asked:
    """A webhook that somebody asks about.

    Attributes:
        wish: What it wants, as it stands now.
        expires_at: When its version ends; none while no later version is released.
    """

    id: uuid.UUID
    wish: Wish
    version: int
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event on record.

    Attributes:
        path: The workspace ids from the root down to where it happened.
    """

    day: date
    id: uuid.UUID
    source: str
    source_id: str
    type: str
    workspace_id: str
    path: Sequence[str]
    occurred_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class PastDelivery:
    """The one delivery of an event to a webhook."""

    hook_id: uuid.UUID
    state: DeliveryState
    attempts: int
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Then:
    """What the activity log tells of a webhook at the time of an event.

    Attributes:
        state: The state it was in; none where the log does not reach back that far.
        changed_at: When its settings were first changed after that time; none where they were not.
    """

    state: WebhookState | None
    changed_at: datetime | None


class Past(Protocol):
    """What happened, and to whom it might have been told."""

    async def webhook(self, workspace_id: str, webhook_id: uuid.UUID) -> Asked | None:
        """Return a webhook of a workspace."""
        ...

    async def event(self, workspace_id: str, event_id: uuid.UUID, *, days: Sequence[date]) -> PastEvent | None:
        """Return an event of a workspace or of one below it, if it is filed under one of the days."""
        ...

    async def delivery(self, webhook_id: uuid.UUID, event: PastEvent) -> PastDelivery | None:
        """Return the delivery of an event to a webhook."""
        ...

    async def then(self, asked: Asked, at: datetime) -> Then:
        """Return what the activity log tells of a webhook at a time."""
        ...

    async def path(self, workspace_id: str) -> Sequence[str] | None:
        """Return the ids from the root down to a workspace; none where there is no such workspace."""
        ...
