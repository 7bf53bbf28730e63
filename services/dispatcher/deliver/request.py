"""The request of one attempt: method, headers and body, for the webhook's version."""

from dataclasses import dataclass
from datetime import datetime

from coro_events.contract.bodies import render_body
from coro_events.errors import ContractError
from services.dispatcher.deliver.sign import coro_signature, standard_signature
from services.dispatcher.match.delivery import Delivery

USER_AGENT = "Coro-Webhooks/1"

# Headers that are ours alone; names of headers are the same in upper and lower case.
_OURS = frozenset(
    {
        "content-type",
        "x-coro-hook-id",
        "x-coro-hook-type",
        "x-coro-signature",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "traceparent",
        "deprecation",
        "sunset",
        # Of the connection and the message, not of the request.
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclass(slots=True)
class Request:
    """A POST, ready to send."""

    url: str
    headers: dict[str, str]
    body: bytes


def make_request(delivery: Delivery, now: datetime, traceparent: str | None = None) -> Request:
    """Render, sign and dress one attempt.

    Ours win over customers' headers: the API refuses the names that we set, and an older row may not have been asked.

    Args:
        delivery: What to send, to whom.
        now: When the attempt is made; the signed `webhook-timestamp`, so that an old request cannot be sent again.
        traceparent: The W3C trace context that the receiver's work belongs to; the event's own if left out.

    Raises:
        ContractError: The webhook's version is unknown, its secret cannot be opened, or a place is needed and unknown.
    """
    hook_id = str(delivery.hook_id)
    happening, target = delivery.happening, delivery.target
    if target.secret is None:
        raise ContractError("the webhook's secret cannot be opened with the keys at hand")
    body = render_body(
        target.version,
        event_type=happening.type,
        hook_id=hook_id,
        workspace_id=happening.workspace_id,
        occurred_at=happening.occurred_at,
        data=happening.data,
        place=happening.place,
    )
    timestamp_s = int(now.timestamp())
    headers = {
        "User-Agent": USER_AGENT,
        **{name: value for name, value in target.headers.items() if name.lower() not in _OURS},
        "Content-Type": "application/json",
        **target.retirement,
        "X-Coro-Hook-Id": hook_id,
        "X-Coro-Hook-Type": happening.type,
        "X-Coro-Signature": coro_signature(target.secret, hook_id),
        "webhook-id": hook_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": standard_signature(target.secret, hook_id, timestamp_s, body),
    }
    if target.previous_secret is not None:
        # The newest first: a receiver that reads one entry only reads that of the new secret.
        headers["webhook-signature"] += " " + standard_signature(target.previous_secret, hook_id, timestamp_s, body)
    if traceparent or happening.traceparent:
        headers["traceparent"] = traceparent or happening.traceparent or ""
    return Request(url=target.url, headers=headers, body=body)
