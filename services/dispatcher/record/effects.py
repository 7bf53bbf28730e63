"""What an attempt's outcome does: decided here, written elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from coro_events.rules.deliveries import DeliveryKind, DeliveryState
from services.dispatcher.deliver.outcome import Answer, Outcome
from services.dispatcher.match.delivery import Delivery
from services.dispatcher.record.retry import MAX_ATTEMPTS, RetrySchedule


@dataclass(slots=True)
class Attempt:
    """One attempt, as it was."""

    delivery: Delivery
    # From 1, over all attempts of the delivery.
    number: int
    started_at: datetime
    duration_ms: int
    answer: Answer


@dataclass(slots=True)
class Effect:
    """What to write for an attempt, if its claim still holds."""

    attempt: Attempt
    state: DeliveryState
    # Seconds until the next attempt; none where there is no next one.
    again_in_s: float | None
    # Why the webhook is to be disabled; none where it is not.
    disable_reason: str | None


def decide(attempt: Attempt, schedule: RetrySchedule, chance: float) -> Effect:
    """Return what an attempt's outcome does to its delivery and its webhook.

    Success ends the delivery. A failure is tried again while attempts are left, except 410, which ends it at once. A
    delivery of an event that fails for good disables its webhook; a test and a retry by hand have one attempt and never
    disable.
    """
    if attempt.answer.outcome is Outcome.DELIVERED:
        return Effect(attempt, DeliveryState.DELIVERED, again_in_s=None, disable_reason=None)
    if attempt.delivery.kind is DeliveryKind.TEST or attempt.delivery.manual:
        return Effect(attempt, DeliveryState.FAILED, again_in_s=None, disable_reason=None)
    wait_s = _wait_s(attempt, schedule, chance)
    if wait_s is not None:
        return Effect(attempt, DeliveryState.PENDING, again_in_s=wait_s, disable_reason=None)
    return Effect(attempt, DeliveryState.FAILED, again_in_s=None, disable_reason=_reason(attempt))


def _wait_s(attempt: Attempt, schedule: RetrySchedule, chance: float) -> float | None:
    number = attempt.number - attempt.delivery.attempts_before
    match attempt.answer.outcome:
        case Outcome.DELIVERED | Outcome.GONE:
            return None
        case Outcome.BUSY:
            return schedule.next_wait_s(number, chance=chance, retry_after_s=attempt.answer.retry_after_s)
        case (
            Outcome.REDIRECTED
            | Outcome.REFUSED_BY_RECEIVER
            | Outcome.RECEIVER_FAILED
            | Outcome.UNEXPECTED_STATUS
            | Outcome.CONNECTION_REFUSED
            | Outcome.CONNECTION_BROKEN
            | Outcome.TIMED_OUT
            | Outcome.TLS_FAILED
            | Outcome.NAME_NOT_FOUND
            | Outcome.NAME_UNRESOLVED
            | Outcome.MALFORMED_ANSWER
            | Outcome.ADDRESS_FORBIDDEN
            | Outcome.UNSENDABLE
        ):
            return schedule.next_wait_s(number, chance=chance)
        case other:
            assert_never(other)


def _reason(attempt: Attempt) -> str:
    what = attempt.answer.error() or ""
    if attempt.answer.outcome is Outcome.GONE:
        return what
    number = attempt.number - attempt.delivery.attempts_before
    return f"{number} of {MAX_ATTEMPTS} attempts failed. The last one: {what}"
