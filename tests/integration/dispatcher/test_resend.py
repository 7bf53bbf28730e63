"""A resend of what was delivered: the API makes it due, the dispatcher sends it once more under the same hook id."""

import pytest

from services.api.deliveries.sql import SqlRetries
from services.dispatcher.deliver.outcome import Outcome
from tests.integration.dispatcher.room import Room, count_updated, roomy
from tests.support.dispatching import make_effect
from tests.support.makers import insert_webhook, insert_workspace


@pytest.mark.parametrize(
    ("outcome", "state"), [(Outcome.DELIVERED, "delivered"), (Outcome.GONE, "failed"), (Outcome.TIMED_OUT, "failed")]
)
async def test_it_has_one_attempt_and_never_disables(room: Room, outcome: Outcome, state: str) -> None:
    await insert_workspace(room.database, "acme")
    hook = await insert_webhook(room.database, room.vault, triggers=["workspace-status-updated"])
    (first,) = await room.plan(count_updated("acme"))
    assert await room.ledger.record([make_effect(first)])
    async with SqlRetries(room.database).change() as change:
        stopped = await change.stopped(hook.id, first.hook_id)
        assert stopped is not None
        assert await change.make_due(stopped, manual=True) is not None

    (again,) = await room.due.claim(roomy, 10)
    (effect,) = await room.ledger.record([make_effect(again, outcome)])

    assert (again.hook_id, again.attempts, again.manual) == (first.hook_id, 1, True)
    assert effect.disable_reason is None
    (row,) = await room.all("select d.state, d.attempts, w.state as webhook from deliveries d, webhooks w")
    assert (row.state, row.attempts, row.webhook) == (state, 2, "enabled")
