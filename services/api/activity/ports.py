"""What this room needs: the rows of the activity log, newest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol


class Cursor(NamedTuple):
    """The last line that was read; the next page begins after it."""

    at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class Search:
    """Which lines are wanted; what is none does not matter.

    Attributes:
        workspace_id: Whose lines.
        with_descendants: Also those of the workspaces below it.
        until: The first time that is no longer wanted.
    """

    workspace_id: str
    with_descendants: bool = False
    action: str | None = None
    actor: str | None = None
    subject: str | None = None
    webhook_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log."""

    id: int
    workspace_id: str
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, object]

    @property
    def cursor(self) -> Cursor:
        """Return where this line stands."""
        return Cursor(self.at, self.id)


class ActivityLog(Protocol):
    """The log on record."""

    async def is_within(self, workspace_id: str, top: str) -> bool:
        """Return whether a workspace is another one or stands below it."""
        ...

    async def lines(self, search: Search, *, after: Cursor | None, limit: int) -> Sequence[Line]:
        """Return the next lines, newest first."""
        ...
