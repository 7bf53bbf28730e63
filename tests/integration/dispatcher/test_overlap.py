"""After a rotation both secrets sign, on every way that a delivery takes, and only as long as they shall."""

import uuid
from datetime import timedelta

import pytest

from coro_events.contract.triggers import Trigger
from coro_events.runtime.clock import SystemClock
from services.dispatcher.deliver.request import make_request
from services.dispatcher.intake.batch import TestRequest
from services.dispatcher.match.delivery import Delivery
from tests.integration.dispatcher.room import Room, count_updated, roomy
from tests.support.clock import START
from tests.support.dispatching import at_most, decoded_of
from tests.support.makers import insert_webhook, insert_workspace, make_vault

OTHER_KEYS = "other:" + "QUFB" * 10 + "QUE="
STATUS = Trigger.WORKSPACE_STATUS_UPDATED.value


async def deliver(room: Room, webhook_id: uuid.UUID) -> list[Delivery]:
    """Return what a webhook gets: at once, from the database, and as a test."""
    planned = await room.planner.plan(decoded_of(count_updated("acme")), at_most(1_000))
    await room.planner.plan(decoded_of(count_updated("acme")), at_most(0))
    claimed = await room.due.claim(roomy, 10)
    asked = TestRequest(webhook_id=webhook_id, test_id=uuid.uuid4(), workspace_id="acme", requested_at=START)
    tests = await room.planner.plan(decoded_of(tests=(asked,)), at_most(1_000))
    return [*planned.claimed, *claimed, *tests.claimed]


async def rotated(room: Room, *, left: timedelta, keys: str | None = None) -> uuid.UUID:
    """Insert a webhook whose previous secret signs for so long yet."""
    await insert_workspace(room.database, "acme")
    webhook_id = uuid.uuid4()
    vault = room.vault if keys is None else make_vault(keys)
    await insert_webhook(
        room.database,
        room.vault,
        id=webhook_id,
        triggers=[STATUS],
        secret="the new secret",
        previous_secret_sealed=vault.seal("the old secret", row=str(webhook_id), field="secret"),
        previous_secret_until=SystemClock().now() + left,
    )
    return webhook_id


def signatures(delivery: Delivery) -> list[str]:
    return make_request(delivery, START).headers["webhook-signature"].split(" ")


async def test_both_secrets_sign_while_the_overlap_lasts(room: Room) -> None:
    deliveries = await deliver(room, await rotated(room, left=timedelta(hours=1)))

    assert [len(signatures(delivery)) for delivery in deliveries] == [2, 2, 2]
    assert {delivery.target.secret for delivery in deliveries} == {b"the new secret"}
    assert {delivery.target.previous_secret for delivery in deliveries} == {b"the old secret"}


@pytest.mark.parametrize(("left", "keys"), [(timedelta(0), None), (timedelta(hours=1), OTHER_KEYS)])
async def test_new_secret_signs_alone_when_the_old_one_is_over_or_cannot_be_opened(
    room: Room, left: timedelta, keys: str | None
) -> None:
    deliveries = await deliver(room, await rotated(room, left=left, keys=keys))

    assert [len(signatures(delivery)) for delivery in deliveries] == [1, 1, 1]
    assert {delivery.target.secret for delivery in deliveries} == {b"the new secret"}
