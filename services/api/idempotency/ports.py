"""What this room needs: keys on record, each with what was asked and, once it is done, what was answered."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to answer the request of a key.

    Attributes:
        token: Names this right; it is lost when another request takes the key over.
    """

    client_id: str
    key: str
    token: uuid.UUID


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer, sealed, with the claim under which it is kept."""

    claim: Claim
    sealed: bytes


# Makes of what an operation returns the answer to keep, inside of the operation's transaction.
Keep = Callable[[View], KeptAnswer]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is on record of a key.

    Attributes:
        request_sealed: The hash of what was asked.
        answer_sealed: None while it is not answered.
    """

    request_sealed: bytes
    answer_sealed: bytes | None


class Keys(Protocol):
    """The keys on record."""

    async def claim(
        self, claim: Claim, *, request_sealed: bytes, now: datetime, until: datetime, expires_at: datetime
    ) -> Seen | None:
        """Claim a key that is new, has expired or was left unanswered; none where that was done, else what is there.

        A key that is left unanswered is taken over only for the same request: what is on record of it is returned,
        and `take_over` follows.
        """
        ...

    async def take_over(self, claim: Claim, *, now: datetime, until: datetime) -> bool:
        """Claim a key whose answer did not come within its time; return whether that was done."""
        ...

    async def give_up(self, claim: Claim) -> None:
        """Forget a claimed key: nothing was done under it."""
        ...
