"""What replaying needs: steps, each of which counts by itself."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of one replay did."""

    replay_id: UUID
    webhook_id: UUID
    # Deliveries planned or taken up again.
    replayed: int
    # running, done or cancelled.
    state: str


class Replays(Protocol):
    """The replays that somebody asked for."""

    async def step(self) -> Step | None:
        """Take one batch of the replay that has waited longest, in one transaction; none where nothing is due.

        A replica that dies in it leaves the replay as it was, and any replica takes the next step.

        Raises:
            StoreUnavailableError: The database is away.
        """
        ...
