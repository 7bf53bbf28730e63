"""From when on a replay may begin, and what a retry by hand makes of a delivery: pure."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import assert_never

from coro_events.rules.deliveries import DeliveryKind, DeliveryState
from coro_events.rules.webhooks import WebhookState
from services.api.deliveries.ports import Stopped
from services.api.refusals import WrongDeliveryState, WrongState


def instant_of(milliseconds: int) -> datetime:
    """Return the time that the API writes as milliseconds of UTC."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC) + timedelta(milliseconds=milliseconds % 1000)


def fault_in_since(since: datetime, *, now: datetime, retention_days: int) -> str | None:
    """Return what is wrong with the time from which events are replayed, or nothing."""
    if since > now:
        return "must not be in the future"
    # Whole days are dropped, so the oldest that is kept counts from its midnight on.
    if since.date() < now.date() - timedelta(days=retention_days):
        return f"must not be older than {retention_days} days; events are not kept longer"
    return None


def require_enabled(state: WebhookState, replaced_by: uuid.UUID | None = None) -> None:
    """Refuse to replay to a webhook that gets no deliveries.

    Args:
        state: Of the webhook.
        replaced_by: The webhook that took over from it.

    Raises:
        WrongState: It is not enabled; the detail says what to do.
    """
    match state:
        case WebhookState.ENABLED:
            return
        case WebhookState.DISABLED if replaced_by is not None:
            raise WrongState(f"it was replaced by the webhook {replaced_by}; replay to that one")
        case WebhookState.DISABLED:
            raise WrongState("it is disabled; enable it first, then ask for the replay")
        case WebhookState.DRAFT | WebhookState.EXPIRED:
            raise never_delivers(state)
        case other:
            assert_never(other)


def never_delivers(state: WebhookState) -> WrongState:
    """Return why nothing is sent to a draft or an expired webhook, and what to do."""
    if state is WebhookState.DRAFT:
        return WrongState("it is a draft and delivers nothing yet; publish it first")
    return WrongState(
        "it is expired and delivers nothing any more; publish its draft, or create a new webhook of a later version"
    )


def _require_receiver(state: WebhookState, stopped: Stopped) -> None:
    if state in {WebhookState.DRAFT, WebhookState.EXPIRED}:
        raise never_delivers(state)
    if stopped.kind is DeliveryKind.SHADOW:
        raise WrongDeliveryState("it only tried the draft out; the webhook before got the event itself")


def is_manual(state: WebhookState, stopped: Stopped) -> bool:
    """Return whether a retry is an attempt of its own; else the next one of the schedule is only made earlier.

    Args:
        state: Of the webhook.
        stopped: The delivery that is to be sent again.

    Raises:
        WrongState: The webhook is a draft or expired.
        WrongDeliveryState: The delivery is over, or a shadow, or an attempt is under way.
    """
    _require_receiver(state, stopped)
    match stopped.state:
        case DeliveryState.FAILED | DeliveryState.HELD:
            return True
        case DeliveryState.PENDING if stopped.is_under_way:
            raise WrongDeliveryState("an attempt is under way; look at its result first")
        case DeliveryState.PENDING:
            # A disabled webhook gets nothing from the schedule, so this one would only be held.
            return state is WebhookState.DISABLED
        case DeliveryState.DELIVERED:
            raise WrongDeliveryState("it is delivered; there is nothing to try again, but it can be resent")
        case DeliveryState.DISCARDED:
            raise WrongDeliveryState("it is discarded and is not sent any more")
        case other:
            assert_never(other)


def require_resendable(state: WebhookState, stopped: Stopped) -> None:
    """Refuse to send a delivery once more that was not delivered: for those there is the retry.

    Two operations, so that nobody who clears up failures sends something twice by mistake.

    Args:
        state: Of the webhook.
        stopped: The delivery that is to be sent once more.

    Raises:
        WrongState: The webhook is a draft or expired.
        WrongDeliveryState: The delivery is not delivered; the detail says what to do.
    """
    _require_receiver(state, stopped)
    match stopped.state:
        case DeliveryState.DELIVERED:
            return
        case DeliveryState.FAILED | DeliveryState.HELD | DeliveryState.PENDING:
            raise WrongDeliveryState(f"it is {stopped.state.value} and not delivered yet; retry it")
        case DeliveryState.DISCARDED:
            raise WrongDeliveryState("it is discarded and is not sent any more")
        case other:
            assert_never(other)
