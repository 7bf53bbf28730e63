"""What an attempt's outcome does: every outcome, kind and number of attempts."""

import pytest

from coro_events.rules.deliveries import DeliveryKind, DeliveryState
from services.dispatcher.deliver.outcome import ADVICE, Answer, Outcome
from services.dispatcher.record.effects import Effect, decide
from services.dispatcher.record.retry import RetrySchedule
from tests.support.dispatching import make_attempt, make_delivery

WAITS_S = {1: 60.0, 2: 480.0, 3: 3840.0}
ENDS_AT_ONCE = {Outcome.DELIVERED, Outcome.GONE}
TRIED_AGAIN = [outcome for outcome in Outcome if outcome not in ENDS_AT_ONCE]
NUMBERS = (1, 2, 3, 4)


def effect_of(
    outcome: Outcome, *, number: int, kind: DeliveryKind = DeliveryKind.EVENT, retry_after_s: float | None = None
) -> Effect:
    delivery = make_delivery(kind=kind, attempts=number - 1)
    attempt = make_attempt(delivery, Answer(outcome, retry_after_s=retry_after_s))
    effect = decide(attempt, RetrySchedule(), 0.5)
    assert effect.attempt is attempt
    return effect


@pytest.mark.parametrize("kind", DeliveryKind)
@pytest.mark.parametrize("number", NUMBERS)
def test_delivery_ends_well_when_it_was_delivered(number: int, kind: DeliveryKind) -> None:
    effect = effect_of(Outcome.DELIVERED, number=number, kind=kind)
    assert (effect.state, effect.again_in_s, effect.disable_reason) == (DeliveryState.DELIVERED, None, None)


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("outcome", TRIED_AGAIN)
def test_delivery_is_tried_again_when_attempts_are_left(outcome: Outcome, number: int) -> None:
    effect = effect_of(outcome, number=number)
    assert effect.state is DeliveryState.PENDING
    assert effect.again_in_s == pytest.approx(WAITS_S[number])
    assert effect.disable_reason is None


@pytest.mark.parametrize("outcome", TRIED_AGAIN)
def test_webhook_is_disabled_when_the_fourth_attempt_failed(outcome: Outcome) -> None:
    effect = effect_of(outcome, number=4)
    assert (effect.state, effect.again_in_s) == (DeliveryState.FAILED, None)
    assert effect.disable_reason == f"4 of 4 attempts failed. The last one: {ADVICE[outcome]}"


@pytest.mark.parametrize("number", NUMBERS)
def test_webhook_is_disabled_at_once_when_the_receiver_is_gone(number: int) -> None:
    effect = effect_of(Outcome.GONE, number=number)
    assert (effect.state, effect.again_in_s) == (DeliveryState.FAILED, None)
    assert effect.disable_reason == ADVICE[Outcome.GONE]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("outcome", [*TRIED_AGAIN, Outcome.GONE])
def test_test_fails_once_and_disables_nothing(outcome: Outcome, number: int) -> None:
    effect = effect_of(outcome, number=number, kind=DeliveryKind.TEST)
    assert (effect.state, effect.again_in_s, effect.disable_reason) == (DeliveryState.FAILED, None, None)


@pytest.mark.parametrize("outcome", TRIED_AGAIN)
def test_retry_after_counts_for_a_busy_receiver_alone(outcome: Outcome) -> None:
    effect = effect_of(outcome, number=1, retry_after_s=100)
    assert effect.again_in_s == pytest.approx(100 if outcome is Outcome.BUSY else 60)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("outcome", [*TRIED_AGAIN, Outcome.GONE])
def test_retry_by_hand_has_one_attempt_and_disables_nothing(outcome: Outcome, number: int) -> None:
    delivery = make_delivery(attempts=number - 1, manual=True)
    effect = decide(make_attempt(delivery, Answer(outcome)), RetrySchedule(), 0.5)
    assert (effect.state, effect.again_in_s, effect.disable_reason) == (DeliveryState.FAILED, None, None)


@pytest.mark.parametrize("number", NUMBERS)
def test_schedule_begins_anew_when_a_delivery_is_replayed(number: int) -> None:
    delivery = make_delivery(attempts=4 + number - 1, attempts_before=4)
    attempt = make_attempt(delivery, Answer(Outcome.TIMED_OUT))
    assert attempt.number == 4 + number
    effect = decide(attempt, RetrySchedule(), 0.5)
    if number < 4:
        assert effect.again_in_s == pytest.approx(WAITS_S[number])
    else:
        assert effect.disable_reason is not None
        assert effect.disable_reason.startswith("4 of 4 attempts failed.")
