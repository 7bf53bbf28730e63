"""What clients read."""

import uuid
from datetime import timedelta

import pytest

from coro_events.contract.triggers import Trigger
from coro_events.rules.deliveries import DeliveryState
from services.api.webhooks.ports import Delivery, TestDelivery
from services.api.webhooks.rules import MASK
from services.api.webhooks.schemas import WebhookView
from services.api.webhooks.view import etag_of, view_of_test, webhook_fields
from tests.support.clock import START
from tests.unit.api.bodies import make_webhook

ID = uuid.UUID(int=7)
START_MS = 1_772_445_600_000


def test_secret_and_header_values_are_masked_when_a_webhook_is_read() -> None:
    view = WebhookView(**webhook_fields(make_webhook(), header_names=["X-Key"], last_delivery=None, now=START))

    shown = view.model_dump(by_alias=True)
    assert shown["secret"] == MASK
    assert shown["headers"] == {"X-Key": MASK}


def test_fields_are_written_as_published() -> None:
    webhook = make_webhook(
        triggers=(Trigger.WORKSPACE_CREATED, Trigger.SUBSCRIPTION_UPDATED),
        version=2,
        expires_at=START + timedelta(milliseconds=5),
    )
    delivery = Delivery(ID, DeliveryState.PENDING, 2, START, None)

    shown = WebhookView(**webhook_fields(webhook, header_names=[], last_delivery=delivery, now=START)).model_dump(
        by_alias=True
    )

    assert shown["triggers"] == ["workspaceCreated.v2", "subscriptionUpdated.v2"]
    assert shown["workspaceId"] == "acme"
    assert shown["applyToAllDescendants"] is True
    assert shown["created"] == START_MS
    assert shown["expires"] == START_MS + 5
    assert shown["lastDelivery"] == {
        "id": str(ID),
        "state": "pending",
        "attempts": 2,
        "created": START_MS,
        "finished": None,
    }
    assert etag_of(webhook) == '"3"'


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (DeliveryState.PENDING, "pending"),
        (DeliveryState.DELIVERED, "delivered"),
        (DeliveryState.FAILED, "failed"),
        (DeliveryState.HELD, "failed"),
        (DeliveryState.DISCARDED, "failed"),
    ],
)
def test_test_has_one_of_three_states(state: DeliveryState, shown: str) -> None:
    assert view_of_test(TestDelivery(id=ID, state=state)).state == shown


def test_answer_of_the_receiver_is_shown_when_there_is_one() -> None:
    test = TestDelivery(
        id=ID, state=DeliveryState.FAILED, status=500, duration_ms=12, outcome="refused", response_body="no"
    )

    shown = view_of_test(test).model_dump(by_alias=True)

    assert shown["statusCode"] == 500
    assert shown["durationMs"] == 12
    assert shown["response"] == {"head": None, "body": "no"}
    assert view_of_test(TestDelivery(id=ID, state=DeliveryState.FAILED)).response is None
