"""The request that a single delivery shows is the one that the dispatcher made, but for what is masked."""

import uuid
from datetime import datetime, timedelta

import pytest

from coro_events.contract.bodies import VERSIONS
from coro_events.contract.place import Place
from coro_events.contract.retirement import retirement_headers
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


PLACE = Place("Acme East", "child", ("acme", "acme-east"), sequence=7)


def detail_of(delivery: Delivery, **life: datetime) -> Detail:
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
    sent = Sent(
        target.version,
        target.url,
        None,
        happening.occurred_at,
        happening.data,
        happening.traceparent,
        happening.place,
        **life,
    )
    return Detail(entry, [], sent)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("traceparent", [None, TRACEPARENT])
def test_request_is_the_one_that_was_made_but_for_what_is_masked(traceparent: str | None, version: int) -> None:
    data = '{"name":"Å\\u0000"}'.encode()
    happening = make_happening(traceparent=traceparent, data=data, workspace_id="acme-east", place=PLACE)
    target = make_target(headers=HEADERS, version=version)
    delivery = make_delivery(target, happening=happening, hook_id=uuid.uuid4())
    attempt = Attempt(1, STARTED_AT, 12, "delivered", 200, None, None, None)

    made = make_request(delivery, STARTED_AT)
    shown = sent_headers(detail_of(delivery), attempt, HEADERS)

    assert shown == {name: MASK if name in MASKED else value for name, value in made.headers.items()}
    body = sent_body(detail_of(delivery))
    assert body is not None
    assert body.encode() == made.body


@pytest.mark.parametrize(("released_after_s", "is_told"), [(-1, True), (3, False)])
def test_end_of_the_version_is_told_of_attempts_since_it_was_known(released_after_s: float, *, is_told: bool) -> None:
    life = {"deprecated_at": START + timedelta(seconds=released_after_s), "expires_at": START + timedelta(days=180)}
    delivery = make_delivery(make_target(retirement=retirement_headers(**life)), hook_id=uuid.uuid4())
    attempt = Attempt(1, STARTED_AT, 12, "delivered", 200, None, None, None)

    shown = sent_headers(detail_of(delivery, **life), attempt, ())

    told = {"Deprecation", "Sunset"}
    assert {name: shown[name] for name in told & shown.keys()} == (dict(delivery.target.retirement) if is_told else {})


def test_body_is_none_when_the_place_is_not_on_record() -> None:
    assert sent_body(detail_of(make_delivery(make_target(version=2)))) is None


def test_body_is_none_when_the_version_has_no_format() -> None:
    assert sent_body(detail_of(make_delivery(make_target(version=99)))) is None
