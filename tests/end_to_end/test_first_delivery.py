"""From a token to a signed delivery, as a customer meets it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from standardwebhooks import Webhook

from coro_events.contract.topics import EVENTS
from coro_events.runtime.clock import SystemClock
from tests.end_to_end.workspace import COUNT_UPDATED, SECRET, WEBHOOKS, Workspace, counts, events, is_of
from tests.support import confluent
from tests.support.receiver import Received, Receiver
from tests.support.waiting import wait_until


def verified(request: Received, secret: str = SECRET) -> Any:
    """Return the body as a Standard Webhooks library reads it; it raises where a signature is wrong."""
    encoded = base64.b64encode(secret.encode()).decode()
    return Webhook(f"whsec_{encoded}").verify(request.body, request.headers)


async def test_a_new_webhook_gets_a_test_and_then_every_event(workspace: Workspace, receiver: Receiver) -> None:
    created = await workspace.webhook(receiver.url(), headers={"Authorization": "Bearer for-the-receiver"})
    assert (created["status"], created["secret"]) == ("enabled", SECRET)
    (test,) = await receiver.until(1)
    assert is_of(test, "test")
    assert verified(test)["type"] == "test"
    assert test.hook_id == created["test"]["id"]

    emitted = await workspace.stack.coro(
        *("events", "emit", COUNT_UPDATED.value, "--workspace", workspace.id),
        *("--data", '{"protectedCount": 42, "previousProtectedCount": 41}', "--time", "2026-03-02T10:00:00.250Z"),
    )
    assert emitted["workspace_id"] == workspace.id
    _, delivery = await receiver.until(2)
    occurred_at = datetime(2026, 3, 2, 10, 0, 0, 250_000, tzinfo=UTC)
    assert verified(delivery) == {
        "id": delivery.hook_id,
        "timestamp": int(occurred_at.timestamp() * 1000),
        "workspaceId": workspace.id,
        "type": "protected-users-count-updated",
        "data": {"protectedCount": 42, "previousProtectedCount": 41},
    }
    assert delivery.headers["authorization"] == "Bearer for-the-receiver"
    assert delivery.headers["content-type"] == "application/json"

    async def last() -> Any:
        shown = await workspace.read(created)
        return (shown["lastDelivery"] or {}).get("state") == "delivered" and shown

    shown = await wait_until(last, what="the delivery to be recorded")
    assert (shown["lastDelivery"]["id"], shown["lastDelivery"]["attempts"]) == (delivery.hook_id, 1)
    assert (shown["lastTest"]["id"], shown["lastTest"]["state"]) == (test.hook_id, "delivered")
    assert "a secret" not in json.dumps(shown)
    listed = (await workspace.call("GET", WEBHOOKS)).json()
    assert listed == {"items": [{name: shown[name] for name in shown if name != "lastTest"}], "totalElements": 1}


class PageReceiver(ThreadingHTTPServer):
    """A receiver that somebody wrote who has read the published page and nothing else.

    It takes X-Coro-Hook-Id and the secret, makes the hash anew and compares it with X-Coro-Signature.
    """

    def __init__(self, secret: str) -> None:
        super().__init__(("127.0.0.1", 0), _PageHandler)
        self.secret = secret
        self.taken: list[Any] = []
        self.refused = 0

    def takes(self, hook_id: str, signature: str) -> bool:
        ours = hmac.new(self.secret.encode(), hook_id.encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(ours, signature)


class _PageHandler(BaseHTTPRequestHandler):
    server: PageReceiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        genuine = self.server.takes(self.headers["X-Coro-Hook-Id"], self.headers["X-Coro-Signature"])
        if genuine:
            self.server.taken.append(json.loads(body))
        else:
            self.server.refused += 1
        self.send_response(200 if genuine else 401)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def page_receiver(secret: str) -> Iterator[PageReceiver]:
    with PageReceiver(secret) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


async def test_a_receiver_written_from_the_published_page_takes_what_is_signed_with_its_secret(
    workspace: Workspace,
) -> None:
    secret = "zwölf Boxkämpfer €"
    with page_receiver(secret) as right, page_receiver("another secret") as wrong:
        for server in (right, wrong):
            url = f"http://127.0.0.1:{server.server_port}/from-the-page"
            await workspace.webhook(url, secret=secret, triggers=["protectedUsersCountUpdated.v1"])
        await workspace.count(7)
        await wait_until(lambda: len(right.taken) == 2 and wrong.refused >= 2, what="both to have been called")
    assert [(one["type"], one["workspaceId"]) for one in right.taken] == [
        ("test", workspace.id),
        ("protected-users-count-updated", workspace.id),
    ]
    assert wrong.taken == []


@pytest.mark.parametrize(
    ("path", "state", "status", "error_is_shown"),
    [("/status/200", "delivered", 200, False), ("/status/500", "failed", 500, True)],
)
async def test_a_test_on_demand_shows_status_time_and_answer(
    *, workspace: Workspace, receiver: Receiver, path: str, state: str, status: int, error_is_shown: bool
) -> None:
    created = await workspace.webhook(receiver.url(path))
    await receiver.until(1)
    before_ms = int(SystemClock().now().timestamp() * 1000)
    answer = await workspace.call("GET", f"{WEBHOOKS}/{created['id']}/test")
    assert answer.status_code == 200, answer.text
    test = answer.json()
    assert (test["state"], test["statusCode"], test["response"]["body"]) == (state, status, "told")
    assert test["response"]["head"].startswith(f"{status} Told")
    assert 0 <= test["durationMs"] < 10_000
    assert before_ms <= test["started"]
    assert bool(test["error"]) is error_is_shown
    first, second = await receiver.until(2)
    assert first.hook_id != second.hook_id == test["id"]
    # Neither of the tests disables.
    assert (await workspace.read(created))["status"] == "enabled"


async def test_an_event_of_another_cloudevents_client_in_binary_mode_is_delivered(
    workspace: Workspace, receiver: Receiver
) -> None:
    await workspace.webhook(receiver.url())
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": "invoice-2026-0001",
        "ce_source": "https://billing.example.com/runs",
        "ce_type": COUNT_UPDATED.value,
        "ce_subject": workspace.id,
        "ce_time": "2026-03-02T12:00:00.125+02:00",
        "ce_traceparent": trace,
        "content-type": "application/json",
    }
    await confluent.produce(
        workspace.stack.kafka_bootstrap,
        workspace.stack.topic(EVENTS),
        b'{"protectedCount": 12}',
        key=workspace.id.encode(),
        headers=[(name, text.encode()) for name, text in attributes.items()],
    )
    await receiver.until(2)
    (delivery,) = events(receiver.received)
    assert counts([delivery]) == [12]
    assert verified(delivery)["timestamp"] == datetime(2026, 3, 2, 10, 0, 0, 125_000, tzinfo=UTC).timestamp() * 1000
    assert delivery.headers["traceparent"] == trace
