"""What a final failure brings, all in the transaction that records it."""

import json
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from coro_events.contract.cloudevents import STRUCTURED_HEADERS
from coro_events.contract.webhook_events import (
    DeliveryExhausted,
    WebhookChanged,
    WebhookEvent,
    WebhookEventType,
    decode_webhook_event,
)
from services.dispatcher.deliver.outcome import Outcome
from services.dispatcher.match.delivery import Delivery
from tests.integration.dispatcher.room import Room, count_updated, roomy
from tests.support.dispatching import make_effect
from tests.support.makers import StoredWebhook, insert_webhook, insert_workspace


@pytest.fixture
async def hook(room: Room) -> StoredWebhook:
    await insert_workspace(room.database, "msp")
    await insert_workspace(room.database, "child", "msp")
    return await insert_webhook(
        room.database,
        room.vault,
        workspace_id="msp",
        apply_to_all_descendants=True,
        triggers=["workspace-status-updated"],
        name="Billing",
    )


async def fail_for_good(room: Room, delivery: Delivery) -> None:
    """Let all four attempts of a delivery fail."""
    for number in (1, 2, 3, 4):
        assert await room.ledger.record([make_effect(delivery, Outcome.RECEIVER_FAILED, status=500)])
        if number < 4:
            make_due = "update deliveries set due_at = now(), leased_until = now() where hook_id = :id"
            await room.change(make_due, id=delivery.hook_id)
            (delivery,) = await room.due.claim(roomy, 10)


async def told(room: Room) -> list[WebhookEvent]:
    """Return what is to be published, in order."""
    rows = await room.all("select topic, key, message from outbox order by id")
    events = [decode_webhook_event(json.dumps(row.message).encode(), STRUCTURED_HEADERS) for row in rows]
    assert all((row.topic, row.key) == ("coro.webhooks", "msp") for row in rows)
    assert all(event.workspace_id == "msp" for event in events)
    return events


async def only(room: Room, query: str) -> Any:
    (row,) = await room.all(query)
    return row


async def test_everybody_is_told_when_four_attempts_failed(room: Room, hook: StoredWebhook) -> None:
    event = count_updated("child")
    (delivery,) = await room.plan(event)
    await fail_for_good(room, delivery)
    webhook = await only(room, "select state, disabled_reason, revision from webhooks")
    assert (webhook.state, webhook.revision) == ("disabled", 2)
    assert webhook.disabled_reason.startswith("4 of 4 attempts failed. The last one: Status 500. ")
    activity = await only(room, "select workspace_id, actor, action, subject, detail from activity_log")
    assert tuple(activity) == (
        "msp",
        "system:dispatcher",
        "webhook.disabled",
        str(hook.id),
        {"name": "Billing", "reason": webhook.disabled_reason, "hookId": str(delivery.hook_id)},
    )
    exhausted, disabled = await told(room)
    assert exhausted.type is WebhookEventType.DELIVERY_EXHAUSTED
    assert exhausted.data == DeliveryExhausted(
        webhook_id=str(hook.id),
        hook_id=str(delivery.hook_id),
        event_id=str(event.id),
        event_type="workspace-status-updated",
        attempts=4,
        reason=webhook.disabled_reason,
    )
    assert disabled.type is WebhookEventType.DISABLED
    assert disabled.data == WebhookChanged(
        webhook_id=str(hook.id), name="Billing", version=1, reason=webhook.disabled_reason, actor=None
    )


async def test_nothing_is_told_before_the_fourth_attempt(room: Room, hook: StoredWebhook) -> None:
    (delivery,) = await room.plan(count_updated("child"))
    await room.ledger.record([make_effect(delivery, Outcome.RECEIVER_FAILED)])
    assert await told(room) == []
    assert (await only(room, "select state, id from webhooks")) == ("enabled", hook.id)


async def test_attempt_is_kept_with_all_that_the_receiver_said(room: Room, hook: StoredWebhook) -> None:
    (delivery,) = await room.plan(count_updated("child"))
    await room.ledger.record(
        [make_effect(delivery, Outcome.RECEIVER_FAILED, status=500, head="500 No", body="Ünïcode \ufffd", detail="X.")]
    )
    row = await only(room, "select * from attempts")
    assert (row.hook_id, row.webhook_id, row.number) == (delivery.hook_id, hook.id, 1)
    assert (row.outcome, row.status, row.duration_ms) == ("receiver_failed", 500, 12)
    assert (row.response_head, row.response_body) == ("500 No", "Ünïcode \ufffd")
    assert row.error.startswith("Status 500. ")
    assert row.error.endswith(" X.")


async def test_webhook_is_disabled_at_once_when_its_receiver_is_gone(room: Room, hook: StoredWebhook) -> None:
    (delivery,) = await room.plan(count_updated("child"))
    await room.ledger.record([make_effect(delivery, Outcome.GONE, status=410)])
    assert [event.type for event in await told(room)] == [
        WebhookEventType.DELIVERY_EXHAUSTED,
        WebhookEventType.DISABLED,
    ]
    assert (await only(room, "select id, state from webhooks")) == (hook.id, "disabled")
    assert (await only(room, "select state, attempts from deliveries")) == ("failed", 1)


@pytest.mark.usefixtures("hook")
async def test_webhook_is_disabled_once_when_many_deliveries_fail_for_good(room: Room) -> None:
    deliveries = await room.plan(*(count_updated("child") for _ in range(3)))
    effects = [make_effect(delivery, Outcome.GONE) for delivery in deliveries]
    await room.ledger.record(effects[:2])
    await room.ledger.record(effects[2:])
    types = [event.type for event in await told(room)]
    assert types.count(WebhookEventType.DELIVERY_EXHAUSTED) == 3
    assert types.count(WebhookEventType.DISABLED) == 1
    assert len(await room.all("select 1 from activity_log")) == 1


@pytest.mark.usefixtures("hook")
async def test_nothing_is_written_when_telling_fails(room: Room) -> None:
    (delivery,) = await room.plan(count_updated("child"))
    await room.change("alter table outbox add constraint closed check (false) not valid")
    try:
        with pytest.raises(DBAPIError):
            await room.ledger.record([make_effect(delivery, Outcome.GONE)])
    finally:
        await room.change("alter table outbox drop constraint closed")
    assert (await only(room, "select state from deliveries")).state == "pending"
    assert (await only(room, "select state from webhooks")).state == "enabled"
    assert await room.all("select 1 from attempts union all select 1 from activity_log") == []
    assert len(await room.ledger.record([make_effect(delivery, Outcome.GONE)])) == 1


async def test_exhausted_delivery_of_a_removed_webhook_disables_nothing(room: Room, hook: StoredWebhook) -> None:
    (delivery,) = await room.plan(count_updated("child"))
    await room.change("delete from webhooks where id = :id", id=hook.id)
    await room.ledger.record([make_effect(delivery, Outcome.GONE)])
    assert [event.type for event in await told(room)] == [WebhookEventType.DELIVERY_EXHAUSTED]
    assert await room.all("select 1 from activity_log") == []
