"""A webhook's states and the legal moves between them."""

from enum import StrEnum


class WebhookState(StrEnum):
    """Whether a webhook delivers; see docs/lifecycle.md."""

    # A copy of its original at a later version; delivers nothing until it is published.
    DRAFT = "draft"
    # Gets deliveries.
    ENABLED = "enabled"
    # Gets none, keeps its configuration; by hand or after a delivery failed for good.
    DISABLED = "disabled"
    # Its version's life has ended; readable, and never enabled again.
    EXPIRED = "expired"


LEGAL_MOVES: dict[WebhookState, frozenset[WebhookState]] = {
    # Publishing; the draft of a disabled webhook becomes a disabled one.
    WebhookState.DRAFT: frozenset({WebhookState.ENABLED, WebhookState.DISABLED}),
    # What was published becomes a draft again when somebody switches back.
    WebhookState.ENABLED: frozenset({WebhookState.DISABLED, WebhookState.EXPIRED, WebhookState.DRAFT}),
    WebhookState.DISABLED: frozenset({WebhookState.ENABLED, WebhookState.EXPIRED, WebhookState.DRAFT}),
    WebhookState.EXPIRED: frozenset(),
}
