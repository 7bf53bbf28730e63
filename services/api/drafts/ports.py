"""What this room needs beyond webhooks: the last events that were sent to one."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from coro_events.contract.place import Place


@dataclass(frozen=True, slots=True)
class SentEvent:
    """An event that a webhook got.

    Attributes:
        event_id: None where it is an example.
        data: JSON, as the event carries it.
        place: Where it happened, as the workspace is now.
    """

    event_id: uuid.UUID | None
    hook_id: uuid.UUID
    type: str
    workspace_id: str
    occurred_at: datetime
    data: bytes
    place: Place


class SentEvents(Protocol):
    """What webhooks have got."""

    async def last(self, webhook_id: uuid.UUID, limit: int) -> Sequence[SentEvent]:
        """Return the last events that were planned for a webhook, newest first."""
        ...

    async def place(self, workspace_id: str) -> Place:
        """Return where an event of a workspace would happen."""
        ...
