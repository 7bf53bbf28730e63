"""What this room needs: how the webhooks of a tree stand, by workspace."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol


class Ailing(NamedTuple):
    """A webhook that needs somebody.

    Attributes:
        is_failing: It is enabled, and a delivery waits for a further attempt; else it is disabled.
        reason: Why it is disabled; none where somebody did so by hand.
    """

    id: str
    name: str
    is_failing: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How the webhooks of one workspace stand; drafts and replaced ones do not count.

    Attributes:
        path: The display names from the top of the tree, which is left out, down to the workspace.
        ailing: Some of those that fail or are disabled, failing ones first.
    """

    workspace_id: str
    display_name: str
    path: Sequence[str]
    webhooks: int
    failing: int
    disabled: int
    expired: int
    ailing: Sequence[Ailing]


@dataclass(frozen=True, slots=True)
class Totals:
    """How all webhooks of a tree stand."""

    workspaces: int
    webhooks: int
    failing: int
    disabled: int
    expired: int


@dataclass(frozen=True, slots=True)
class Expiring:
    """An enabled webhook whose version is about to expire, or has just done so."""

    webhook_id: str
    name: str
    workspace_id: str
    display_name: str
    version: int
    expires_at: datetime
    draft_id: str | None


class Standings(Protocol):
    """Webhooks on record, seen from the top of a tree."""

    async def totals(self, top: str, now: datetime) -> Totals:
        """Return how all webhooks at and below a workspace stand."""
        ...

    async def page(
        self, top: str, now: datetime, *, ailing_only: bool, page: int, page_size: int
    ) -> tuple[Sequence[Standing], int]:
        """Return one page of the workspaces that have webhooks, those in need first, and how many there are."""
        ...

    async def expiring(self, top: str, *, before: datetime, limit: int) -> tuple[Sequence[Expiring], int]:
        """Return enabled webhooks whose version expires before a time, next first, and how many there are."""
        ...
