"""What a status and what a failure come to: the one table that turns a stranger's behaviour into an outcome."""

import ssl
from collections.abc import Sequence

from coro_events.rules.addresses import ForbiddenAddressError
from services.dispatcher.deliver.connection import MalformedAnswerError
from services.dispatcher.deliver.outcome import Outcome
from services.dispatcher.deliver.pool import NameNotFoundError, NameUnresolvedError, UnreachableError

# Statuses that mean more than their class does.
_STATUSES = {
    408: Outcome.BUSY,
    410: Outcome.GONE,
    425: Outcome.BUSY,
    429: Outcome.BUSY,
    503: Outcome.BUSY,
}
# The others by their first digit.
_CLASSES = {
    2: Outcome.DELIVERED,
    3: Outcome.REDIRECTED,
    4: Outcome.REFUSED_BY_RECEIVER,
    5: Outcome.RECEIVER_FAILED,
}
# What is raised instead of an answer; the first that fits counts.
_FAILURES: Sequence[tuple[type[BaseException], Outcome]] = (
    (NameNotFoundError, Outcome.NAME_NOT_FOUND),
    (NameUnresolvedError, Outcome.NAME_UNRESOLVED),
    (ForbiddenAddressError, Outcome.ADDRESS_FORBIDDEN),
    (UnreachableError, Outcome.CONNECTION_REFUSED),
    (MalformedAnswerError, Outcome.MALFORMED_ANSWER),
    (TimeoutError, Outcome.TIMED_OUT),
    # Before the OS error and the value error that a failed verification also is.
    (ssl.SSLError, Outcome.TLS_FAILED),
    # Somebody did listen, and hung up: reset, aborted, or in the middle of a TLS handshake.
    (OSError, Outcome.CONNECTION_BROKEN),
    (ValueError, Outcome.UNSENDABLE),
)


def of_status(status: int) -> Outcome:
    """Return what an HTTP status comes to."""
    return _STATUSES.get(status) or _CLASSES.get(status // 100, Outcome.UNEXPECTED_STATUS)


def of_failure(error: BaseException) -> Outcome:
    """Return what a failure of sending comes to."""
    return next((outcome for kind, outcome in _FAILURES if isinstance(error, kind)), Outcome.CONNECTION_BROKEN)
