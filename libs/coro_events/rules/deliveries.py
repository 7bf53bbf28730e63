"""Deliveries and attempts as values: their states, kinds and legal moves."""

from enum import StrEnum


class DeliveryState(StrEnum):
    """Where a delivery is in its life; see docs/lifecycle.md."""

    # An attempt is due, now or later, or under way.
    PENDING = "pending"
    # The receiver answered 2xx.
    DELIVERED = "delivered"
    # The last attempt failed, or the receiver said 410.
    FAILED = "failed"
    # Its webhook was disabled while it waited; a replay takes it up again.
    HELD = "held"
    # Its webhook was removed while it waited.
    DISCARDED = "discarded"


class DeliveryKind(StrEnum):
    """Why a delivery exists."""

    # A domain event matched the webhook.
    EVENT = "event"
    # Somebody asked for a test: one attempt, which never disables.
    TEST = "test"
    # An event in the format of a draft, sent to the draft's second URL: one attempt, which never disables.
    SHADOW = "shadow"


LEGAL_MOVES: dict[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.PENDING: frozenset(DeliveryState),
    # A resend by hand.
    DeliveryState.DELIVERED: frozenset({DeliveryState.PENDING}),
    # A retry by hand and a replay start it over.
    DeliveryState.FAILED: frozenset({DeliveryState.PENDING}),
    DeliveryState.HELD: frozenset({DeliveryState.PENDING, DeliveryState.DISCARDED}),
    DeliveryState.DISCARDED: frozenset(),
}
