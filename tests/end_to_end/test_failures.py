"""What fails is tried again, then stopped and told; what cannot be read is put aside."""

import json
from itertools import pairwise
from typing import Any

from sqlalchemy import select

from coro_events.contract.topics import EVENTS, REJECTED, WEBHOOKS
from coro_events.store.tables import activity_log
from tests.end_to_end.stack import RETRY_WAITS_S, Stack
from tests.end_to_end.workspace import Workspace, counts, events
from tests.support import confluent
from tests.support.confluent import ReadRecord
from tests.support.receiver import Receiver
from tests.support.waiting import wait_until


async def test_a_webhook_is_disabled_and_told_of_when_four_attempts_have_failed(
    stack: Stack, workspace: Workspace, receiver: Receiver
) -> None:
    failing = await workspace.webhook(receiver.url("/status/500"))
    await workspace.webhook(receiver.url("/ok"))
    # The test at creation fails as well, and counts for nothing.
    await receiver.until(2)
    await workspace.count(1)
    attempts = events(await receiver.until(5, prefix="/status"))
    assert len({one.hook_id for one in attempts}) == 1
    waits_s = [later.at - earlier.at for earlier, later in pairwise(attempts)]
    assert all(waited_s >= 0.9 * wait_s for waited_s, wait_s in zip(waits_s, RETRY_WAITS_S, strict=True)), waits_s
    assert waits_s[0] < waits_s[2]

    async def is_disabled() -> Any:
        shown = await workspace.read(failing)
        return shown["status"] == "disabled" and shown

    shown = await wait_until(is_disabled, what="the webhook to be disabled")
    assert "500" in shown["disabledReason"]
    assert (shown["lastDelivery"]["state"], shown["lastDelivery"]["attempts"]) == ("failed", 4)
    assert await _activities(stack, failing) == [("webhook.disabled", "system:dispatcher", shown["disabledReason"])]
    told = await _told_of(stack, failing, "webhook-disabled")
    assert [one["type"] for one in told if one["type"] != "webhook-test-requested"] == [
        "webhook-created",
        "delivery-exhausted",
        "webhook-disabled",
    ]
    assert told[-1]["data"]["reason"] == shown["disabledReason"]

    await workspace.count(2)
    assert counts(await receiver.until(3, prefix="/ok")) == [1, 2]
    assert events(receiver.of("/status")) == attempts


async def _activities(stack: Stack, webhook: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return action, actor and reason of what the dispatcher did to a webhook."""
    log = activity_log.c
    async with stack.reading() as connection:
        statement = select(activity_log).where(log.subject == webhook["id"], log.actor.startswith("system:"))
        rows = await connection.rows(statement.order_by(log.id))
    return [(row.action, row.actor, row.detail["reason"]) for row in rows]


async def _told_of(stack: Stack, webhook: dict[str, Any], last: str) -> list[dict[str, Any]]:
    """Return what `coro.webhooks` tells of a webhook, once it tells this."""

    def of_webhook(records: list[ReadRecord]) -> list[dict[str, Any]]:
        told = [json.loads(record.value or b"null") for record in records]
        return [one for one in told if one["data"]["webhookId"] == webhook["id"]]

    records = await confluent.read_until(
        stack.kafka_bootstrap,
        stack.topic(WEBHOOKS),
        lambda found: any(one["type"] == last for one in of_webhook(found)),
        what=f"{last} of the webhook",
    )
    return of_webhook(records)


async def test_a_record_that_cannot_be_read_is_put_aside_with_its_reason_and_stops_nothing(
    stack: Stack, workspace: Workspace, receiver: Receiver
) -> None:
    await workspace.webhook(receiver.url())
    bootstrap, topic, key = stack.kafka_bootstrap, stack.topic(EVENTS), workspace.id.encode()
    unreadable = f'{{"of": "{workspace.id}"'.encode()
    await workspace.count(1)
    await confluent.produce(bootstrap, topic, unreadable, key=key, headers=[("origin", b"a careless service")])
    await workspace.count(2)
    assert sorted(counts(await receiver.until(3))) == [1, 2]

    def ours(records: list[ReadRecord]) -> list[ReadRecord]:
        return [record for record in records if record.value == unreadable]

    def is_there(records: list[ReadRecord]) -> bool:
        return bool(ours(records))

    (rejected,) = ours(
        await confluent.read_until(bootstrap, stack.topic(REJECTED), is_there, what="the rejected record")
    )
    (read,) = ours(await confluent.read_until(bootstrap, topic, is_there, what="the record as it was written"))
    assert rejected.key == key
    assert rejected.headers.pop("coro-rejected-at").startswith(b"20")
    assert rejected.headers == {
        "origin": b"a careless service",
        "coro-rejected-reason": b"The record is not an event: value: must be JSON",
        "coro-rejected-topic": topic.encode(),
        "coro-rejected-partition": b"%d" % read.partition,
        "coro-rejected-offset": b"%d" % read.offset,
    }
