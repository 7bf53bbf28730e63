"""What this room needs: deliveries on record, newest first, each with its attempts, and their figures."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from coro_events.contract.place import Place
from coro_events.rules.deliveries import DeliveryKind, DeliveryState


class ResponseClass(StrEnum):
    """What the last attempt was answered with."""

    SUCCESS = "2xx"
    REDIRECT = "3xx"
    CLIENT_ERROR = "4xx"
    SERVER_ERROR = "5xx"
    # No answer came, or no attempt was made yet.
    NONE = "none"


class Key(NamedTuple):
    """The place of a delivery in its history; unique over all webhooks."""

    created_at: datetime
    event_id: uuid.UUID
    webhook_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Filters:
    """Which deliveries are wanted; what is empty or none asks for nothing.

    Attributes:
        since: Made then or later.
        until: Made before.
        workspace_id: Where the event happened.
    """

    states: frozenset[DeliveryState] = frozenset()
    types: frozenset[str] = frozenset()
    kind: DeliveryKind | None = None
    since: datetime | None = None
    until: datetime | None = None
    workspace_id: str | None = None
    response: ResponseClass | None = None


@dataclass(frozen=True, slots=True)
class LastAttempt:
    """The latest attempt, as far as a list tells of it."""

    started_at: datetime
    duration_ms: int
    outcome: str
    status: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One delivery in a history.

    Attributes:
        workspace_id: Where the event happened.
        type: Of the event.
        due_at: When the next attempt is due; none where there is no next one.
    """

    key: Key
    hook_id: uuid.UUID
    workspace_id: str
    kind: DeliveryKind
    type: str
    state: DeliveryState
    attempts: int
    due_at: datetime | None
    finished_at: datetime | None
    last: LastAttempt | None


@dataclass(frozen=True, slots=True)
class Slice:
    """One page of a history.

    Attributes:
        next: The place to go on from; none at the end. There may be more although the page is not full.
    """

    entries: Sequence[Entry]
    next: Key | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt as it is on record."""

    number: int
    started_at: datetime
    duration_ms: int
    outcome: str
    status: int | None
    error: str | None
    response_head: str | None
    response_body: str | None


@dataclass(frozen=True, slots=True)
class Sent:
    """What a delivery's requests were made of, as far as it is still known.

    Attributes:
        url: Of the webhook as it is now.
        headers_sealed: Its own headers as they are now.
        data: JSON, as the event carries it.
        place: Where the event happened, as of then.
        deprecated_at: When the version after the webhook's was released, and with it this one's end was known.
        expires_at: When the webhook's version expires.
    """

    version: int
    url: str
    headers_sealed: bytes | None
    occurred_at: datetime
    data: bytes
    traceparent: str | None
    place: Place | None = None
    deprecated_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Detail:
    """One delivery with all that is known of it."""

    entry: Entry
    attempts: Sequence[Attempt]
    sent: Sent


@dataclass(frozen=True, slots=True)
class Figures:
    """How deliveries went.

    Attributes:
        hour: When their hour began; none for all of them.
        deliveries: How many were made.
        attempts: How many attempts they took so far.
        p50_ms: The duration that half of the attempts kept below, in milliseconds; none without attempts.
        p95_ms: The same for 95 of 100.
    """

    hour: datetime | None
    deliveries: int
    delivered: int
    failed: int
    attempts: int
    p50_ms: int | None
    p95_ms: int | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """How a webhook's deliveries went, over all and by the hour.

    Attributes:
        since: From when on deliveries are counted; later than asked for where there are too many.
        hours: Those in which deliveries were made, in order.
    """

    since: datetime
    total: Figures
    hours: Sequence[Figures]


class History(Protocol):
    """The deliveries on record."""

    async def has_webhook(self, workspace_id: str, webhook_id: uuid.UUID) -> bool:
        """Return whether a webhook is one of a workspace."""
        ...

    async def of_webhook(self, webhook_id: uuid.UUID, filters: Filters, *, after: Key | None, size: int) -> Slice:
        """Return a page of a webhook's deliveries, newest first."""
        ...

    async def of_workspace(self, workspace_id: str, filters: Filters, *, after: Key | None, size: int) -> Slice:
        """Return a page of the deliveries of all webhooks of a workspace, newest first."""
        ...

    async def one(self, webhook_id: uuid.UUID, hook_id: uuid.UUID) -> Detail | None:
        """Return a delivery of a webhook."""
        ...

    async def statistics(self, webhook_id: uuid.UUID, *, since: datetime, until: datetime) -> Statistics:
        """Return how a webhook's deliveries of events went, tests aside."""
        ...
