"""What a webhook refuses whose life is over or has not begun, and what to do instead: pure."""

from coro_events.rules.webhooks import WebhookState
from services.api.refusals import WrongState
from services.api.webhooks.ports import Webhook


def require_alive(webhook: Webhook, what: str = "it can be read and removed, not changed") -> None:
    """Refuse what an expired webhook does not do any more.

    Args:
        webhook: As it is stored.
        what: Ends for it, as a part of the sentence.

    Raises:
        WrongState: It is expired; the detail says what to do.
    """
    if webhook.state is WebhookState.EXPIRED:
        raise WrongState(f"it is expired: {what}; {instead_of_expired(webhook.version)}")


def instead_of_expired(version: int) -> str:
    """Return what to do where a webhook of a version has expired; at least one later version is released then."""
    return f"publish its draft, or create a new webhook of version {version + 1} or later"


def require_move(webhook: Webhook, asked: WebhookState) -> None:
    """Refuse a change of state that is not one between enabled and disabled by an edit.

    Raises:
        WrongState: The state cannot become the one asked for; the detail says what to do.
    """
    if webhook.state is WebhookState.DRAFT:
        raise WrongState("it is a draft; publish it, which also stops its original in the same step")
    if not {webhook.state, asked} <= {WebhookState.ENABLED, WebhookState.DISABLED}:
        raise WrongState(f"it is {webhook.state.value} and cannot be set to {asked.value} by an edit")
    if webhook.replaced_by is not None and asked is WebhookState.ENABLED:
        raise WrongState(
            f"it was replaced by the webhook {webhook.replaced_by}; switch that one back, and this one is enabled again"
        )
