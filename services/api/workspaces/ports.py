"""What this room needs: the tree on record, and transactions that change it."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from coro_events.contract.webhook_events import WebhookEvent
from coro_events.store.staging import Applied, LineFault, Staged
from coro_events.store.tree import Node
from services.api.webhooks.ports import Activity


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace as it is read."""

    id: str
    parent_id: str | None
    path: tuple[str, ...]
    type: str
    display_name: str
    status: str
    notifications_level: str
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class WorkspaceOrder(StrEnum):
    """How a list is sorted; a minus turns it round."""

    NAME = "displayName"
    NAME_DOWN = "-displayName"
    ID = "id"
    ID_DOWN = "-id"
    CREATED = "created"
    CREATED_DOWN = "-created"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which workspaces a list shows.

    Attributes:
        top: At or below which they are.
        parent_id: Directly below which they are; none shows every level.
        search: What id or name must hold, upper and lower case being the same.
        with_archived: Whether archived ones are shown too.
    """

    top: str
    parent_id: str | None = None
    search: str | None = None
    type: str | None = None
    status: str | None = None
    with_archived: bool = False


class Stopped(NamedTuple):
    """A webhook that was disabled because its workspace is archived."""

    id: uuid.UUID
    name: str
    version: int


class TreeChange(Protocol):
    """One transaction that holds the tree: the change, its line in the activity log and its messages, or nothing."""

    async def find(self, ids: Iterable[str]) -> Mapping[str, Node]:
        """Return those of these workspaces that there are, by id."""
        ...

    async def height(self, workspace_id: str) -> int:
        """Return how many levels there are below a workspace."""
        ...

    async def holds_others(self, workspace_id: str, *, unarchived: bool = False) -> bool:
        """Return whether a workspace has others directly below it."""
        ...

    async def insert(self, node: Node) -> None:
        """Add a workspace."""
        ...

    async def describe(self, node: Node) -> None:
        """Write what a workspace is, wherever it stands."""
        ...

    async def move(self, workspace_id: str, *, parent_id: str | None, above: Sequence[str]) -> int:
        """Put a workspace and all below it under another; return how many workspaces that were."""
        ...

    async def archive(self, workspace_id: str, at: datetime) -> Sequence[Stopped]:
        """Archive a workspace, disable its webhooks, and return those that were enabled."""
        ...

    async def view(self, workspace_id: str) -> Workspace:
        """Return a workspace as this transaction has left it."""
        ...

    async def record(self, activity: Activity) -> None:
        """Write a line of the activity log."""
        ...

    async def publish(self, event: WebhookEvent) -> None:
        """Leave a message in the outbox."""
        ...


class Staging(Protocol):
    """One transaction that takes in many workspaces; it holds the tree from `judge` on."""

    async def stage(self, workspaces: Sequence[Staged]) -> None:
        """Lay workspaces beside the tree; each id may come once."""
        ...

    async def judge(self, top: str) -> Sequence[LineFault]:
        """Return what stands against what is staged, by line."""
        ...

    async def apply(self, *, actor: str, at: datetime) -> Applied:
        """Make the tree what is staged."""
        ...


class WorkspaceStore(Protocol):
    """The workspaces on record."""

    def change(self) -> AbstractAsyncContextManager[TreeChange]:
        """Open a transaction that holds the tree and ends with the block."""
        ...

    def staging(self) -> AbstractAsyncContextManager[Staging]:
        """Open a transaction that takes in many workspaces and ends with the block."""
        ...

    async def one(self, top: str, workspace_id: str) -> Workspace | None:
        """Return a workspace at or below another."""
        ...

    async def page(
        self, wanted: Wanted, *, page: int, page_size: int, order: WorkspaceOrder
    ) -> tuple[Sequence[Workspace], int]:
        """Return one page of a list, and how many there are on all pages."""
        ...
