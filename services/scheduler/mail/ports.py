"""What the mail room needs: a mail server."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from coro_events.store.mailing import Words


class Outcome(StrEnum):
    """What the mail server said to one mail."""

    # It has the mail now.
    TAKEN = "taken"
    # Not now; it may take it later.
    DEFERRED = "deferred"
    # Never.
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the mail server said, and in which words where it did not take the mail."""

    outcome: Outcome
    said: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one recipient.

    Attributes:
        message_id: Without its brackets; the same whenever this mail is sent to this recipient.
        written_at: Aware, UTC.
    """

    message_id: str
    to: str
    words: Words
    written_at: datetime


class MailSession(Protocol):
    """One conversation with the mail server."""

    async def send(self, letter: Letter) -> Answer:
        """Hand over one mail.

        Raises:
            MailServerAwayError: The conversation has ended; whether the mail was taken is not known.
        """
        ...


class Mailer(Protocol):
    """The mail server."""

    def session(self) -> AbstractAsyncContextManager[MailSession]:
        """Begin a conversation for the block.

        Raises:
            MailServerAwayError: It does not answer, or refuses to talk with us.
        """
        ...
