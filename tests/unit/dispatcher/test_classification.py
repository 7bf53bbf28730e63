"""What a status and what a failure come to, row by row."""

import ssl

import pytest

from coro_events.rules.addresses import ForbiddenAddressError
from services.dispatcher.deliver.classification import of_failure, of_status
from services.dispatcher.deliver.connection import ClosedError, MalformedAnswerError
from services.dispatcher.deliver.outcome import Outcome
from services.dispatcher.deliver.pool import NameNotFoundError, NameUnresolvedError, UnreachableError


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (100, Outcome.UNEXPECTED_STATUS),
        (101, Outcome.UNEXPECTED_STATUS),
        (199, Outcome.UNEXPECTED_STATUS),
        (200, Outcome.DELIVERED),
        (201, Outcome.DELIVERED),
        (202, Outcome.DELIVERED),
        (204, Outcome.DELIVERED),
        (299, Outcome.DELIVERED),
        (300, Outcome.REDIRECTED),
        (301, Outcome.REDIRECTED),
        (302, Outcome.REDIRECTED),
        (304, Outcome.REDIRECTED),
        (307, Outcome.REDIRECTED),
        (308, Outcome.REDIRECTED),
        (400, Outcome.REFUSED_BY_RECEIVER),
        (401, Outcome.REFUSED_BY_RECEIVER),
        (403, Outcome.REFUSED_BY_RECEIVER),
        (404, Outcome.REFUSED_BY_RECEIVER),
        (408, Outcome.BUSY),
        (409, Outcome.REFUSED_BY_RECEIVER),
        (410, Outcome.GONE),
        (413, Outcome.REFUSED_BY_RECEIVER),
        (422, Outcome.REFUSED_BY_RECEIVER),
        (425, Outcome.BUSY),
        (429, Outcome.BUSY),
        (499, Outcome.REFUSED_BY_RECEIVER),
        (500, Outcome.RECEIVER_FAILED),
        (502, Outcome.RECEIVER_FAILED),
        (503, Outcome.BUSY),
        (504, Outcome.RECEIVER_FAILED),
        (599, Outcome.RECEIVER_FAILED),
        (600, Outcome.UNEXPECTED_STATUS),
        (999, Outcome.UNEXPECTED_STATUS),
        (0, Outcome.UNEXPECTED_STATUS),
    ],
)
def test_status_comes_to_its_outcome(status: int, expected: Outcome) -> None:
    assert of_status(status) is expected


def test_only_success_is_delivered() -> None:
    assert [status for status in range(100, 1000) if of_status(status) is Outcome.DELIVERED] == list(range(200, 300))


# Failures that are subclasses of each other on purpose: a failed verification is an OS error and a value error, too.
FAILURES: tuple[tuple[BaseException, Outcome], ...] = (
    (NameNotFoundError(), Outcome.NAME_NOT_FOUND),
    (NameUnresolvedError(), Outcome.NAME_UNRESOLVED),
    (ForbiddenAddressError("loopback"), Outcome.ADDRESS_FORBIDDEN),
    (UnreachableError(), Outcome.CONNECTION_REFUSED),
    (MalformedAnswerError(), Outcome.MALFORMED_ANSWER),
    (TimeoutError(), Outcome.TIMED_OUT),
    (ssl.SSLError(), Outcome.TLS_FAILED),
    (ssl.SSLCertVerificationError(), Outcome.TLS_FAILED),
    (ClosedError(begun=False), Outcome.CONNECTION_BROKEN),
    (ClosedError(begun=True), Outcome.CONNECTION_BROKEN),
    (ConnectionResetError(), Outcome.CONNECTION_BROKEN),
    (ConnectionAbortedError(), Outcome.CONNECTION_BROKEN),
    (BrokenPipeError(), Outcome.CONNECTION_BROKEN),
    (OSError(), Outcome.CONNECTION_BROKEN),
    (ValueError(), Outcome.UNSENDABLE),
    (UnicodeError(), Outcome.UNSENDABLE),
    (RuntimeError(), Outcome.CONNECTION_BROKEN),
)


@pytest.mark.parametrize(("error", "expected"), FAILURES, ids=[repr(error) for error, _ in FAILURES])
def test_failure_comes_to_its_outcome(error: BaseException, expected: Outcome) -> None:
    assert of_failure(error) is expected


def test_every_outcome_is_what_some_row_comes_to() -> None:
    assert {of_status(status) for status in range(1000)} | {outcome for _, outcome in FAILURES} == set(Outcome)
