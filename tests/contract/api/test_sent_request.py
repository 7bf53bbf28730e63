"""The request that a single delivery shows is the one that the dispatcher made, but for what is masked."""

import uuid
from datetime import timedelta

import pytest

from coro_events.rules.deliveries import DeliveryKind, DeliveryState
from services.api.history.ports import Attempt, Detail, Entry, Key, Sent
from services.api.history.request import sent_body, sent_headers
from services.api.webhooks.rules import MASK
from services.dispatcher.deliver.request import make_request
from services.dispatcher.match.delivery import Delivery
from tests.support.clock import START
from tests.support.dispatching import make_delivery, make_happening, make_target

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HEADERS = {"X-Key": "theirs", "Authorization": "Bearer theirs"}
MASKED = {*HEADERS, "X-Coro-Signature", "webhook-signature"}
STARTED_AT = START + timedelta(seconds=1.9)


def detail_of(delivery: Delivery) -> Detail:
    """Return a delivery as it is read back later."""
    happening, target = delivery.happening, delivery.target
    entry = Entry(
        key=Key(START, happening.event_id, target.webhook_id),
        hook_id=delivery.hook_id,
        workspace_id=happening.workspace_id,
        kind=DeliveryKind.EVENT,
        type=happening.type,
        state=DeliveryState.DELIVERED,
        attempts=1,
        due_at=None,
        finished_at=START,
        last=None,
    )
    sent = Sent(target.version, target.url, None, happening.occurred_at, happening.data, happening.traceparent)
    return Detail(entry, [], sent)


@pytest.mark.parametrize("traceparent", [None, TRACEPARENT])
def test_request_is_the_one_that_was_made_but_for_what_is_masked(traceparent: str | None) -> None:
    happening = make_happening(traceparent=traceparent, data='{"name":"Å\\u0000"}'.encode(), workspace_id="acme-east")
    delivery = make_delivery(make_target(headers=HEADERS), happening=happening, hook_id=uuid.uuid4())
    attempt = Attempt(1, STARTED_AT, 12, "delivered", 200, None, None, None)

    made = make_request(delivery, STARTED_AT)
    shown = sent_headers(detail_of(delivery), attempt, HEADERS)

    assert shown == {name: MASK if name in MASKED else value for name, value in made.headers.items()}
    body = sent_body(detail_of(delivery))
    assert body is not None
    assert body.encode() == made.body


def test_body_is_none_when_the_version_has_no_format() -> None:
    assert sent_body(detail_of(make_delivery(make_target(version=99)))) is None
