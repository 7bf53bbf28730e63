"""The request of one attempt: its headers and its body."""

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from coro_events.contract.place import Place
from coro_events.contract.retirement import retirement_headers
from coro_events.errors import ContractError
from coro_events.runtime.clock import SystemClock
from services.dispatcher.deliver.request import make_request
from services.dispatcher.deliver.sign import coro_signature
from tests.support.clock import START
from tests.support.dispatching import SECRET, make_delivery, make_happening, make_target

HOOK_ID = uuid.UUID("9d3c1f52-7a55-4bb0-8a7e-0a7c5a4f2e90")
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OURS = (
    "Content-Type",
    "X-Coro-Hook-Id",
    "X-Coro-Hook-Type",
    "X-Coro-Signature",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
)


def test_request_has_our_headers_and_the_url() -> None:
    request = make_request(make_delivery(make_target(url="https://example.com/a?b=c"), hook_id=HOOK_ID), START)
    assert request.url == "https://example.com/a?b=c"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-Coro-Hook-Id"] == str(HOOK_ID)
    assert request.headers["X-Coro-Hook-Type"] == "workspace-created"
    assert request.headers["X-Coro-Signature"] == coro_signature(SECRET.encode(), str(HOOK_ID))
    assert request.headers["webhook-id"] == str(HOOK_ID)
    assert request.headers["webhook-timestamp"] == "1772445600"
    assert request.headers["User-Agent"].startswith("Coro-Webhooks/")
    assert "traceparent" not in request.headers


def test_body_is_the_published_version_1() -> None:
    happening = make_happening(
        type="workspace-status-updated",
        workspace_id="acme-child",
        occurred_at=datetime(2026, 3, 1, 9, 0, 0, 123_999, tzinfo=UTC),
        data='{"status":"trial","displayName":"Å\\u0000"}'.encode(),
    )
    request = make_request(make_delivery(hook_id=HOOK_ID, happening=happening), START)
    assert (
        request.body
        == (
            '{"id":"9d3c1f52-7a55-4bb0-8a7e-0a7c5a4f2e90","timestamp":1772355600123,"workspaceId":"acme-child",'
            '"type":"workspace-status-updated","data":{"status":"trial","displayName":"Å\\u0000"}}'
        ).encode()
    )
    assert list(json.loads(request.body)) == ["id", "timestamp", "workspaceId", "type", "data"]


def test_body_and_ids_stay_the_same_when_the_attempt_is_a_later_one() -> None:
    delivery = make_delivery(hook_id=HOOK_ID)
    first = make_request(delivery, START)
    delivery.attempts = 3
    last = make_request(delivery, START + timedelta(hours=1))
    assert first.body == last.body
    changed = {name for name, value in first.headers.items() if last.headers[name] != value}
    assert changed == {"webhook-timestamp", "webhook-signature"}


def test_customers_headers_are_sent_along() -> None:
    request = make_request(make_delivery(make_target(headers={"Authorization": "Bearer x", "X-Team": "a"})), START)
    assert request.headers["Authorization"] == "Bearer x"
    assert request.headers["X-Team"] == "a"


def test_end_of_the_version_is_told_whatever_the_customers_headers_say() -> None:
    retirement = retirement_headers(START, datetime(2026, 9, 2, 10, tzinfo=UTC))
    target = make_target(headers={"sunset": "never", "DEPRECATION": "no"}, retirement=retirement)
    headers = make_request(make_delivery(target), START).headers
    told = {name: value for name, value in headers.items() if name.lower() in {"sunset", "deprecation"}}
    assert told == {"Deprecation": "@1772445600", "Sunset": "Wed, 02 Sep 2026 10:00:00 GMT"}


def test_nothing_is_told_when_the_version_does_not_expire() -> None:
    assert not {"Sunset", "Deprecation"} & make_request(make_delivery(), START).headers.keys()


def test_body_of_version_2_tells_place_and_number() -> None:
    place = Place("Acme East", "child", ("acme", "acme-east"), sequence=7)
    happening = make_happening(workspace_id="acme-east", place=place)
    body = json.loads(make_request(make_delivery(make_target(version=2), happening=happening), START).body)
    assert (body["version"], body["sequence"]) == (2, 7)
    assert body["workspace"]["path"] == ["acme", "acme-east"]


@pytest.mark.parametrize("spelling", [str, str.lower, str.upper])
@pytest.mark.parametrize("name", OURS)
def test_our_headers_win_when_a_customer_names_the_same(name: str, spelling: type[str]) -> None:
    forged = make_target(headers={spelling(name): "forged"})
    request = make_request(make_delivery(forged, hook_id=HOOK_ID), START)
    honest = make_request(make_delivery(make_target(), hook_id=HOOK_ID), START)
    sent = [value for key, value in request.headers.items() if key.lower() == name.lower()]
    assert sent == [honest.headers[name]]


def test_trace_context_goes_along_when_the_event_has_one() -> None:
    delivery = make_delivery(
        make_target(headers={"traceparent": "x"}), happening=make_happening(traceparent=TRACEPARENT)
    )
    assert make_request(delivery, START).headers["traceparent"] == TRACEPARENT


def test_standard_webhooks_package_verifies_the_whole_request() -> None:
    request = make_request(make_delivery(), SystemClock().now())
    verifier = Webhook(f"whsec_{base64.b64encode(SECRET.encode()).decode()}")
    assert verifier.verify(request.body, request.headers) == json.loads(request.body)


@pytest.mark.parametrize("secret", [SECRET, "the one before"])
def test_standard_webhooks_package_verifies_with_either_secret_while_two_of_them_sign(secret: str) -> None:
    request = make_request(make_delivery(make_target(previous_secret=b"the one before")), SystemClock().now())
    verifier = Webhook(f"whsec_{base64.b64encode(secret.encode()).decode()}")
    assert verifier.verify(request.body, request.headers) == json.loads(request.body)
    newest, _ = request.headers["webhook-signature"].split(" ")
    assert verify_alone(request.headers | {"webhook-signature": newest}, request.body)
    assert request.headers["X-Coro-Signature"] == coro_signature(SECRET.encode(), request.headers["X-Coro-Hook-Id"])


def verify_alone(headers: dict[str, str], body: bytes) -> bool:
    """Return whether the secret of today is enough for what it signed alone."""
    return bool(Webhook(f"whsec_{base64.b64encode(SECRET.encode()).decode()}").verify(body, headers))


def test_no_request_can_be_made_when_the_version_is_unknown() -> None:
    with pytest.raises(ContractError, match="version 77"):
        make_request(make_delivery(make_target(version=77)), START)


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Transfer-Encoding", "Connection", "Expect", "X-Coro-Hook-Id"]
)
def test_header_of_an_older_row_cannot_replace_ours_or_break_the_message(name: str) -> None:
    request = make_request(make_delivery(make_target(headers={name: "theirs", "X-Theirs": "1"})), START)
    assert "theirs" not in request.headers.values()
    assert request.headers["X-Theirs"] == "1"
