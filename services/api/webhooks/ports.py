"""What this room needs: webhooks on record, changes of them in one transaction, and what became of a test."""

import uuid
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from coro_events.contract.triggers import Trigger
from coro_events.contract.webhook_events import WebhookEvent
from coro_events.rules.deliveries import DeliveryState
from coro_events.rules.releasing import VersionLife
from coro_events.rules.webhooks import WebhookState
from services.api.idempotency.ports import KeptAnswer


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook as it is stored; secret and header values are sealed.

    Attributes:
        revision: Counts its edits, from 1.
        draft_of: The webhook whose draft it is.
        expires_at: When its version ends; none while no later version is released.
        replaced_by: The draft of it that was published and took over.
        replaces: The webhook that it took over from, when it was published.
        shadow_url: Where events are sent while it is a draft, to try its format out.
        previous_secret_sealed: The secret before the last rotation, which also signs until `previous_secret_until`.
    """

    id: uuid.UUID
    workspace_id: str
    version: int
    name: str
    description: str
    url: str
    apply_to_all_descendants: bool
    triggers: tuple[Trigger, ...]
    secret_sealed: bytes
    headers_sealed: bytes | None
    state: WebhookState
    disabled_reason: str | None
    draft_of: uuid.UUID | None
    revision: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None
    replaced_by: uuid.UUID | None = None
    replaces: uuid.UUID | None = None
    shadow_url: str | None = None
    previous_secret_sealed: bytes | None = None
    previous_secret_until: datetime | None = None
    expired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery, as far as a webhook's own page tells about it."""

    hook_id: uuid.UUID
    state: DeliveryState
    attempts: int
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class TestDelivery:
    """What is known of a test: its state and, after the attempt, the receiver's answer."""

    __test__ = False  # The name begins with "Test", yet it is none for pytest.

    id: uuid.UUID
    state: DeliveryState
    started_at: datetime | None = None
    duration_ms: int | None = None
    outcome: str | None = None
    status: int | None = None
    error: str | None = None
    response_head: str | None = None
    response_body: str | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """One line of the activity log; `detail` holds no secrets."""

    workspace_id: str
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, object]


class Order(StrEnum):
    """How a list is sorted; a minus turns it round."""

    CREATED = "created"
    CREATED_DOWN = "-created"
    UPDATED = "updated"
    UPDATED_DOWN = "-updated"
    NAME = "name"
    NAME_DOWN = "-name"


@dataclass(frozen=True, slots=True)
class Sought:
    """Which webhooks a list shows; by default all of the workspace.

    Attributes:
        search: What name, description or URL must hold, upper and lower case being the same.
        state: In which they must be.
        trigger: Which they must have.
    """

    search: str | None = None
    state: WebhookState | None = None
    trigger: Trigger | None = None


ALL = Sought()


class WebhookChange(Protocol):
    """One transaction: the change, its line in the activity log and its messages, or nothing of it."""

    async def reserve(self, workspace_id: str) -> int:
        """Keep others from adding, renaming or swapping webhooks of a workspace; return how many live ones it has.

        Drafts, expired and replaced ones have no place of their own.
        """
        ...

    async def lock(self, workspace_id: str, webhook_id: uuid.UUID) -> Webhook | None:
        """Return a webhook as it stands, and keep others from changing it."""
        ...

    async def find(self, workspace_id: str, webhook_id: uuid.UUID) -> Webhook | None:
        """Return a webhook as it stands; others may change it meanwhile."""
        ...

    async def lock_all(self, workspace_id: str, webhook_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, Webhook]:
        """Return those of these webhooks that there are, and keep others from changing them; in order of their ids."""
        ...

    async def draft_of(self, webhook_id: uuid.UUID) -> uuid.UUID | None:
        """Return the draft of a webhook."""
        ...

    async def insert(self, webhook: Webhook) -> None:
        """Add a webhook.

        Raises:
            NameTaken: The workspace has one of that name.
        """
        ...

    async def update(self, webhook: Webhook) -> None:
        """Replace a locked webhook.

        Raises:
            NameTaken: The workspace has another one of that name.
        """
        ...

    async def delete(self, webhook_id: uuid.UUID) -> None:
        """Remove a locked webhook, and its draft with it; what it has replaced stands by itself again.

        Raises:
            NameTaken: Another webhook has the name of the one that would stand by itself.
        """
        ...

    async def record(self, activity: Activity) -> None:
        """Write a line of the activity log."""
        ...

    async def publish(self, event: WebhookEvent) -> None:
        """Leave a message in the outbox. Call it after the webhook is locked or inserted, so that order holds."""
        ...

    async def keep(self, answer: KeptAnswer) -> None:
        """Keep the answer to the request of an idempotency key.

        Raises:
            StillUnderWay: Another request answers it; nothing of this change may count.
        """
        ...


class WebhookStore(Protocol):
    """The webhooks on record."""

    def change(self) -> AbstractAsyncContextManager[WebhookChange]:
        """Open a transaction that ends with the block."""
        ...

    async def versions(self) -> Sequence[VersionLife]:
        """Return the lives of all versions."""
        ...

    async def page(
        self, workspace_id: str, *, page: int, page_size: int, order: Order, sought: Sought = ALL
    ) -> tuple[Sequence[Webhook], int]:
        """Return one page of a workspace's webhooks, and how many there are."""
        ...

    async def one(self, workspace_id: str, webhook_id: uuid.UUID) -> Webhook | None:
        """Return a webhook of a workspace."""
        ...

    async def draft_of(self, webhook_id: uuid.UUID) -> uuid.UUID | None:
        """Return the draft of a webhook."""
        ...

    async def last_deliveries(self, webhook_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, Delivery]:
        """Return the latest delivery of an event, for each webhook that has one."""
        ...


class Resolver(Protocol):
    """Looks up host names."""

    async def resolve(self, host: str) -> Sequence[str]:
        """Return the addresses that a host name has now; none where it cannot be resolved within two seconds."""
        ...


class ResultsOfTests(Protocol):
    """What became of tests."""

    async def result(self, webhook_id: uuid.UUID, test_id: uuid.UUID, asked_at: datetime) -> TestDelivery | None:
        """Return what is known of a test; none until the dispatcher has planned it."""
        ...

    async def last(self, webhook_id: uuid.UUID) -> TestDelivery | None:
        """Return the latest test of a webhook."""
        ...
