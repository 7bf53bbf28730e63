"""What an attempt can come to: a closed set, and what to tell the customer for each.

No text names an address, a certificate or a library: the first could be inside our network, the others help nobody.
"""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How an attempt ended."""

    # 2xx.
    DELIVERED = "delivered"
    # 3xx: never followed, because the address guard and the customer agreed on one URL.
    REDIRECTED = "redirected"
    # 410: the receiver wants nothing more.
    GONE = "gone"
    # 408, 425, 429 and 503: not now; `Retry-After` is honoured.
    BUSY = "busy"
    # Any other 4xx.
    REFUSED_BY_RECEIVER = "refused_by_receiver"
    # Any other 5xx.
    RECEIVER_FAILED = "receiver_failed"
    # Any other status, 1xx among them.
    UNEXPECTED_STATUS = "unexpected_status"
    # Nobody listens there.
    CONNECTION_REFUSED = "connection_refused"
    # The connection broke before the answer was whole.
    CONNECTION_BROKEN = "connection_broken"
    # The deadline passed.
    TIMED_OUT = "timed_out"
    # The certificate or the handshake failed.
    TLS_FAILED = "tls_failed"
    # The host has no address.
    NAME_NOT_FOUND = "name_not_found"
    # Nobody could tell whether it has one: a name server failed or said nothing until the deadline.
    NAME_UNRESOLVED = "name_unresolved"
    # What came back is not HTTP.
    MALFORMED_ANSWER = "malformed_answer"
    # The address is one that we never call.
    ADDRESS_FORBIDDEN = "address_forbidden"
    # The request could not be made of the webhook's settings.
    UNSENDABLE = "unsendable"


ADVICE: dict[Outcome, str] = {
    Outcome.REDIRECTED: "The receiver answered with a redirect, which is not followed. Set the final address as URL.",
    Outcome.GONE: "The receiver answered 410 Gone, so no further attempt is made. Check the webhook's URL.",
    Outcome.BUSY: "The receiver asked to come back later. Check its limits and its load if this goes on.",
    Outcome.REFUSED_BY_RECEIVER: "The receiver refused the request. Check URL, authorization headers and its logs.",
    Outcome.RECEIVER_FAILED: "The receiver failed. Check its logs for this time.",
    Outcome.UNEXPECTED_STATUS: "The receiver's answer is not one of success. Answer with 200 to 299.",
    Outcome.CONNECTION_REFUSED: "Nobody accepts connections at the webhook's URL. Check host, port and firewall.",
    Outcome.CONNECTION_BROKEN: (
        "The connection was closed before the answer was complete. "
        "Check the logs of the receiver, and of a proxy before it, for this time."
    ),
    Outcome.TIMED_OUT: "The receiver did not answer in time. Answer first and do the work afterwards.",
    Outcome.TLS_FAILED: "No secure connection could be made. Check that the certificate is valid and for this host.",
    Outcome.NAME_NOT_FOUND: "The host of the webhook's URL has no address. Check its spelling and its DNS records.",
    Outcome.NAME_UNRESOLVED: (
        "The address of the webhook's host could not be looked up: our name server or the domain's did not answer. "
        "Check that the domain's name servers answer."
    ),
    Outcome.MALFORMED_ANSWER: "What the receiver sent back is not an HTTP answer. Check that the port speaks HTTP.",
    Outcome.ADDRESS_FORBIDDEN: (
        "The webhook's host leads to an address that is not public, which is never called. "
        "Set a URL whose host is public."
    ),
    Outcome.UNSENDABLE: "No request could be made of the webhook's settings. Check its URL and headers.",
}


@dataclass(slots=True)
class Answer:
    """What came back from a receiver, or why nothing did."""

    outcome: Outcome
    # HTTP status; none where no answer came.
    status: int | None = None
    # Status line and headers, at most 4 KiB.
    head: str | None = None
    # The beginning of the body, at most 4 KiB.
    body: str | None = None
    # What `Retry-After` asked for, in seconds.
    retry_after_s: float | None = None
    # A detail for the customer that adds to the advice, such as which deadline passed.
    detail: str | None = None

    def error(self) -> str | None:
        """Return what to tell the customer; none on success."""
        advice = ADVICE.get(self.outcome)
        if advice is None:
            return None
        status = f"Status {self.status}. " if self.status is not None else ""
        return f"{status}{advice} {self.detail}" if self.detail else f"{status}{advice}"
