"""A change counts from the next attempt on: edited, removed."""

import hashlib
import hmac

from tests.end_to_end.workspace import SECRET, WEBHOOKS, Workspace, counts, events
from tests.support.receiver import Received, Receiver


def is_signed(request: Received, secret: str) -> bool:
    """Tell whether a request is signed with a secret."""
    expected = hmac.new(secret.encode(), request.hook_id.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, request.headers["x-coro-signature"])


async def test_a_deleted_webhook_gets_nothing_more_not_even_what_waits_for_its_next_attempt(
    workspace: Workspace, receiver: Receiver
) -> None:
    fine = await workspace.webhook(receiver.url("/ok/removed"))
    failing = await workspace.webhook(receiver.url("/status/500"))
    await workspace.webhook(receiver.url("/ok/kept"))
    await workspace.count(1)
    await receiver.until(2, prefix="/ok/removed")
    await receiver.until(2, prefix="/status")
    for webhook in (fine, failing):
        assert (await workspace.call("DELETE", f"{WEBHOOKS}/{webhook['id']}")).status_code == 204
    attempts = len(receiver.of("/status"))
    assert attempts < 5, "the retries were over before the webhook was removed; this proves nothing"

    await workspace.count(2)
    retried = await workspace.webhook(receiver.url("/status/503"))
    # Four attempts take longer than any that could still come to the removed ones.
    await workspace.count(3)
    await receiver.until(5, prefix="/status/503")
    assert counts(await receiver.until(4, prefix="/ok/kept")) == [1, 2, 3]
    assert counts(receiver.of("/ok/removed")) == [1]
    # One attempt may have been under way.
    assert len(receiver.of("/status/500")) <= attempts + 1
    assert (await workspace.call("GET", f"{WEBHOOKS}/{failing['id']}")).status_code == 404
    assert (await workspace.read(retried))["id"] == retried["id"]


async def test_an_edit_counts_from_the_next_delivery_and_the_next_attempt_on(
    workspace: Workspace, receiver: Receiver
) -> None:
    webhook = await workspace.webhook(receiver.url("/ok/old"), headers={"X-Routing": "old"})
    await workspace.count(1)
    await receiver.until(2, prefix="/ok/old")
    webhook = await workspace.edit(webhook, url=receiver.url("/status/503"))
    await workspace.count(2)
    first, *_ = await receiver.until(1, prefix="/status")
    assert (first.headers["x-routing"], is_signed(first, SECRET)) == ("old", True)

    secret = "another secret, chosen today"
    await workspace.edit(webhook, url=receiver.url("/ok/new"), secret=secret, headers={"X-Routing": "new"})
    again, *_ = await receiver.until(1, prefix="/ok/new")
    assert again.hook_id == first.hook_id
    await workspace.count(3)
    arrived = await receiver.until(2, prefix="/ok/new")
    assert counts(arrived) == [2, 3]
    assert all(is_signed(one, secret) and one.headers["x-routing"] == "new" for one in arrived)
    assert counts(receiver.of("/ok/old")) == [1]
    assert len({one.hook_id for one in events(receiver.received)}) == 3
