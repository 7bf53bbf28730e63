"""From when on a replay may begin, what its body may hold, and what a retry by hand makes of a delivery."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from coro_events.rules.deliveries import DeliveryKind, DeliveryState
from coro_events.rules.webhooks import WebhookState
from coro_events.store.replaying import INCLUDES
from services.api.deliveries.ports import Stopped
from services.api.deliveries.rules import fault_in_since, instant_of, is_manual, require_enabled, require_resendable
from services.api.deliveries.schemas import ReplayRequest
from services.api.faults import faults_of
from services.api.refusals import WrongDeliveryState, WrongState
from services.api.webhooks.view import milliseconds
from tests.support.clock import START

GETS_SOMETHING = (WebhookState.ENABLED, WebhookState.DISABLED)


def stopped(state: DeliveryState, *, is_under_way: bool = False) -> Stopped:
    """Return a delivery that somebody wants to see sent."""
    return Stopped(
        day=date(2026, 3, 2),
        webhook_id=uuid.uuid4(),
        event_id=uuid.uuid4(),
        hook_id=uuid.uuid4(),
        state=state,
        is_under_way=is_under_way,
    )


def faults_in(**body: Any) -> dict[str, str]:
    """Return the faults of a request by field; none where it is accepted."""
    try:
        ReplayRequest.model_validate_json(json.dumps(body))
    except ValidationError as error:
        return dict(faults_of(error.errors()))
    return {}


@pytest.mark.parametrize("number", [0, 1, 1_764_000_000_123, 253_402_300_799_999])
def test_time_is_read_and_written_alike(number: int) -> None:
    assert milliseconds(instant_of(number)) == number


@pytest.mark.parametrize("since", [START, START - timedelta(days=30), datetime(2026, 1, 31, tzinfo=UTC)])
def test_time_is_accepted_when_its_events_are_kept(since: datetime) -> None:
    assert fault_in_since(since, now=START, retention_days=30) is None


def test_time_is_refused_with_its_rule_when_it_lies_ahead_or_too_far_back() -> None:
    ahead = fault_in_since(START + timedelta(milliseconds=1), now=START, retention_days=30)
    old = fault_in_since(datetime(2026, 1, 30, 23, 59, tzinfo=UTC), now=START, retention_days=30)

    assert ahead == "must not be in the future"
    assert old == "must not be older than 30 days; events are not kept longer"


def test_request_takes_everything_at_a_gentle_rate_when_it_names_the_time_only() -> None:
    body = ReplayRequest.model_validate_json('{"since": 1764000000123}')

    assert (tuple(body.include), body.dry_run, body.rate_per_second) == (INCLUDES, False, 200)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("since", "1764000000123", "must be an integer"),
        ("since", True, "must be an integer"),
        ("since", -1, "must be at least 0"),
        ("since", 10**15, "must be at most 253402300799999"),
        ("include", [], "must not be empty"),
        ("include", ["held", "held"], "must be distinct"),
        ("include", "held", "must be an array"),
        ("dryRun", 1, "must be true or false"),
        ("ratePerSecond", 0, "must be at least 1"),
        ("ratePerSecond", 5001, "must be at most 5000"),
        ("colour", "red", "is not a known field"),
    ],
)
def test_field_is_refused_when_it_breaks_its_rule(field: str, value: object, message: str) -> None:
    assert faults_in(**{"since": 1, field: value}) == {field: message}


def test_request_is_refused_when_it_names_no_time_or_another_kind() -> None:
    assert faults_in() == {"since": "is required"}
    assert set(faults_in(since=1, include=["held", "pending"])) == {"include.1"}


def test_replay_is_refused_with_what_to_do_when_the_webhook_is_not_enabled() -> None:
    require_enabled(WebhookState.ENABLED)
    with pytest.raises(WrongState, match="enable it first"):
        require_enabled(WebhookState.DISABLED)
    successor = uuid.UUID(int=2)
    with pytest.raises(WrongState, match=f"replaced by the webhook {successor}; replay to that one"):
        require_enabled(WebhookState.DISABLED, successor)
    with pytest.raises(WrongState, match="a draft and delivers nothing yet; publish it first"):
        require_enabled(WebhookState.DRAFT)
    with pytest.raises(WrongState, match="publish its draft, or create a new webhook of a later version"):
        require_enabled(WebhookState.EXPIRED)


@pytest.mark.parametrize("state", list(DeliveryState))
def test_shadow_is_not_sent_again(state: DeliveryState) -> None:
    shadow = replace(stopped(state), kind=DeliveryKind.SHADOW)
    for rule in (is_manual, require_resendable):
        with pytest.raises(WrongDeliveryState, match="only tried the draft out"):
            rule(WebhookState.ENABLED, shadow)


@pytest.mark.parametrize("webhook", GETS_SOMETHING)
@pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.HELD])
def test_retry_is_an_attempt_of_its_own_when_the_delivery_had_stopped(
    webhook: WebhookState, state: DeliveryState
) -> None:
    assert is_manual(webhook, stopped(state))


def test_retry_only_brings_the_next_attempt_forward_when_the_delivery_waits_for_it() -> None:
    assert not is_manual(WebhookState.ENABLED, stopped(DeliveryState.PENDING))


def test_retry_is_an_attempt_of_its_own_when_the_schedule_sends_nothing_to_the_webhook() -> None:
    assert is_manual(WebhookState.DISABLED, stopped(DeliveryState.PENDING))


@pytest.mark.parametrize("webhook", GETS_SOMETHING)
@pytest.mark.parametrize("state", [DeliveryState.DELIVERED, DeliveryState.DISCARDED])
def test_retry_is_refused_when_the_delivery_is_over(webhook: WebhookState, state: DeliveryState) -> None:
    with pytest.raises(WrongDeliveryState, match=f"it is {state.value}"):
        is_manual(webhook, stopped(state))


def test_retry_is_refused_when_an_attempt_is_under_way() -> None:
    with pytest.raises(WrongDeliveryState, match="under way"):
        is_manual(WebhookState.ENABLED, stopped(DeliveryState.PENDING, is_under_way=True))


@pytest.mark.parametrize("state", list(DeliveryState))
@pytest.mark.parametrize("webhook", [WebhookState.DRAFT, WebhookState.EXPIRED])
def test_retry_is_refused_when_the_webhook_delivers_nothing(webhook: WebhookState, state: DeliveryState) -> None:
    with pytest.raises(WrongState):
        is_manual(webhook, stopped(state))
