"""The request of an attempt, made anew from what is on record: whatever is secret is masked."""

from collections.abc import Iterable
from datetime import datetime

from coro_events.contract.bodies import render_body
from coro_events.contract.retirement import retirement_headers
from coro_events.errors import ContractError
from services.api.history.ports import Attempt, Detail
from services.api.webhooks.rules import MASK

# As the dispatcher writes it.
USER_AGENT = "Coro-Webhooks/1"


def sent_headers(detail: Detail, attempt: Attempt, names: Iterable[str]) -> dict[str, str]:
    """Return the headers of an attempt: customers' values and signatures masked, all else as it was sent.

    A signature over an id is as good as the id's next request, so it is nobody's to read.

    Args:
        detail: The delivery.
        attempt: One of its attempts.
        names: Of the customer's own headers.
    """
    hook_id = str(detail.entry.hook_id)
    headers = {
        "User-Agent": USER_AGENT,
        **dict.fromkeys(names, MASK),
        "Content-Type": "application/json",
        **_retirement(detail, attempt),
        "X-Coro-Hook-Id": hook_id,
        "X-Coro-Hook-Type": detail.entry.type,
        "X-Coro-Signature": MASK,
        "webhook-id": hook_id,
        "webhook-timestamp": _seconds(attempt.started_at),
        "webhook-signature": MASK,
    }
    if detail.sent.traceparent:
        headers["traceparent"] = detail.sent.traceparent
    return headers


def sent_body(detail: Detail) -> str | None:
    """Return the body of every attempt; none where the webhook's version cannot be rendered."""
    try:
        body = render_body(
            detail.sent.version,
            event_type=detail.entry.type,
            hook_id=str(detail.entry.hook_id),
            workspace_id=detail.entry.workspace_id,
            occurred_at=detail.sent.occurred_at,
            data=detail.sent.data,
            place=detail.sent.place,
        )
    except ContractError:
        return None
    return body.decode()


def _retirement(detail: Detail, attempt: Attempt) -> dict[str, str]:
    """Return what told that the version expires, from the release of the next one on."""
    deprecated_at = detail.sent.deprecated_at
    if deprecated_at is None or attempt.started_at < deprecated_at:
        return {}
    return retirement_headers(deprecated_at, detail.sent.expires_at)


def _seconds(instant: datetime) -> str:
    return str(int(instant.timestamp()))
