"""What this room needs: the webhook that it is about, replays on record, and single deliveries."""

import uuid
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from coro_events.rules.deliveries import DeliveryKind, DeliveryState
from coro_events.rules.webhooks import WebhookState
from services.api.idempotency.ports import KeptAnswer
from services.api.webhooks.ports import Activity


class ReplayState(StrEnum):
    """Where a replay is in its life."""

    # The dispatcher takes batch after batch.
    RUNNING = "running"
    # Everything was taken.
    DONE = "done"
    # Somebody ended it, or its webhook was disabled.
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Subject:
    """A webhook, as far as a replay or a retry depends on it.

    Attributes:
        replaced_by: The webhook that took over from it.
    """

    id: uuid.UUID
    workspace_id: str
    name: str
    state: WebhookState
    triggers: tuple[str, ...]
    apply_to_all_descendants: bool
    replaced_by: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many deliveries a replay takes up or plans.

    Attributes:
        until: The time of the database at the count; what comes later is not part of the replay.
    """

    missed: int
    held: int
    failed: int
    until: datetime

    @property
    def total(self) -> int:
        """Return how many there are of all kinds."""
        return self.missed + self.held + self.failed


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay as it is stored.

    Attributes:
        include: What is taken up: missed, held, failed.
        expected: How many deliveries there were to be when it began.
        replayed: How many of them are planned or taken up again so far.
    """

    id: uuid.UUID
    webhook_id: uuid.UUID
    workspace_id: str
    state: ReplayState
    since: datetime
    include: tuple[str, ...]
    rate_per_s: int
    expected: int
    created_at: datetime
    replayed: int = 0
    finished_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Stopped:
    """A delivery that somebody wants to see sent.

    Attributes:
        is_under_way: Whether a replica of the dispatcher holds it, for an attempt now or in a moment.
    """

    day: date
    webhook_id: uuid.UUID
    event_id: uuid.UUID
    hook_id: uuid.UUID
    state: DeliveryState
    is_under_way: bool
    kind: DeliveryKind = DeliveryKind.EVENT


@dataclass(frozen=True, slots=True)
class Again:
    """A delivery that is due again."""

    hook_id: uuid.UUID
    state: DeliveryState
    attempts: int
    due_at: datetime


class ReplayChange(Protocol):
    """One transaction: the change and its line in the activity log, or nothing of it."""

    async def lock(self, workspace_id: str, webhook_id: uuid.UUID) -> Subject | None:
        """Return a webhook as it stands, and keep others from changing it."""
        ...

    async def insert(self, replay: Replay) -> None:
        """Add a running replay, from its first event on.

        Raises:
            ReplayRunning: The webhook has one already.
        """
        ...

    async def cancel(self, replay_id: uuid.UUID, *, reason: str, at: datetime) -> Replay | None:
        """End a replay if it is running, and return it; none where it is not."""
        ...

    async def record(self, activity: Activity) -> None:
        """Write a line of the activity log."""
        ...

    async def keep(self, answer: KeptAnswer) -> None:
        """Keep the answer to the request of an idempotency key.

        Raises:
            StillUnderWay: Another request answers it; nothing of this change may count.
        """
        ...


class ReplayStore(Protocol):
    """The replays on record."""

    def change(self) -> AbstractAsyncContextManager[ReplayChange]:
        """Open a transaction that ends with the block."""
        ...

    async def subject(self, workspace_id: str, webhook_id: uuid.UUID) -> Subject | None:
        """Return a webhook of a workspace."""
        ...

    async def count(self, subject: Subject, *, since: datetime, include: Sequence[str]) -> Counts:
        """Count what a replay of a webhook would take, at this moment; what is not included counts as none."""
        ...

    async def page(self, webhook_id: uuid.UUID, *, page: int, page_size: int) -> tuple[Sequence[Replay], int]:
        """Return one page of a webhook's replays, newest first, and how many there are."""
        ...

    async def one(self, workspace_id: str, webhook_id: uuid.UUID, replay_id: uuid.UUID) -> Replay | None:
        """Return a replay of a webhook of a workspace."""
        ...


class RetryChange(Protocol):
    """One transaction: a delivery due again and its line in the activity log, or nothing of it."""

    async def subject(self, workspace_id: str, webhook_id: uuid.UUID) -> Subject | None:
        """Return a webhook of a workspace; others may change it meanwhile."""
        ...

    async def stopped(self, webhook_id: uuid.UUID, hook_id: uuid.UUID) -> Stopped | None:
        """Return a delivery of a webhook; others may change it meanwhile."""
        ...

    async def make_due(self, stopped: Stopped, *, manual: bool) -> Again | None:
        """Make a delivery due now, if it is still in the state it was seen in and nobody has taken it.

        Args:
            stopped: As it was seen.
            manual: Whether it gets one attempt on its own, which never disables; else it goes on in its schedule.
        """
        ...

    async def record(self, activity: Activity) -> None:
        """Write a line of the activity log."""
        ...


class RetryStore(Protocol):
    """Deliveries that may be tried again."""

    def change(self) -> AbstractAsyncContextManager[RetryChange]:
        """Open a transaction that ends with the block."""
        ...
