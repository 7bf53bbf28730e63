"""Which webhooks get an event, and that each gets it once."""

import asyncio
from uuid import UUID

import pytest

from coro_events.contract.triggers import Trigger
from coro_events.errors import FenceLostError
from services.dispatcher.deliver.request import make_request
from services.dispatcher.intake.batch import Span
from services.dispatcher.match.delivery import Delivery
from tests.integration.dispatcher.room import Room, count_updated, roomy
from tests.support.clock import START
from tests.support.dispatching import at_most, decoded_of
from tests.support.makers import StoredWebhook, insert_webhook, insert_workspace

STATUS = Trigger.WORKSPACE_STATUS_UPDATED.value


@pytest.fixture(autouse=True)
async def _family(room: Room) -> None:
    """Make msp > regional > client, and the client's sibling and aunt."""
    await insert_workspace(room.database, "msp")
    await insert_workspace(room.database, "regional", "msp")
    await insert_workspace(room.database, "client", "regional")
    await insert_workspace(room.database, "sibling", "regional")
    await insert_workspace(room.database, "aunt", "msp")


async def webhook(room: Room, workspace_id: str, *, descendants: bool = False, **changes: object) -> StoredWebhook:
    values = {"triggers": [STATUS], "apply_to_all_descendants": descendants} | changes
    return await insert_webhook(room.database, room.vault, workspace_id=workspace_id, **values)


def receivers(deliveries: list[Delivery]) -> list[UUID]:
    return [delivery.target.webhook_id for delivery in deliveries]


async def test_webhook_of_each_ancestor_gets_the_event_when_it_applies_to_descendants(room: Room) -> None:
    wanted = {(await webhook(room, name, descendants=True)).id for name in ("msp", "regional", "client")}
    deliveries = await room.plan(count_updated("client"))
    assert set(receivers(deliveries)) == wanted
    for delivery in deliveries:
        assert b'"workspaceId":"client"' in make_request(delivery, START).body


async def test_webhook_of_an_ancestor_gets_nothing_of_descendants_when_it_does_not_apply_to_them(room: Room) -> None:
    for name in ("msp", "regional"):
        await webhook(room, name)
    own = await webhook(room, "client")
    assert receivers(await room.plan(count_updated("client"))) == [own.id]


@pytest.mark.parametrize("descendants", [True, False])
async def test_webhook_gets_nothing_of_sideways_or_upwards(room: Room, *, descendants: bool) -> None:
    for name in ("sibling", "aunt"):
        await webhook(room, name, descendants=descendants)
    own = await webhook(room, "client", descendants=descendants)
    assert receivers(await room.plan(count_updated("client"))) == [own.id]
    assert await room.plan(count_updated("regional"), count_updated("msp")) == []


@pytest.mark.parametrize("state", ["disabled", "expired", "draft"])
async def test_webhook_gets_nothing_when_it_is_not_enabled(room: Room, state: str) -> None:
    enabled = await webhook(room, "client")
    draft_of = enabled.id if state == "draft" else None
    await webhook(room, "client", state=state, draft_of=draft_of)
    assert receivers(await room.plan(count_updated("client"))) == [enabled.id]


async def test_webhook_gets_only_what_it_asked_for(room: Room) -> None:
    await webhook(room, "client", triggers=[Trigger.WORKSPACE_CREATED.value])
    await webhook(room, "client", triggers=[])
    both = await webhook(room, "client", triggers=[Trigger.WORKSPACE_CREATED.value, STATUS])
    assert receivers(await room.plan(count_updated("client"))) == [both.id]


async def test_delivery_carries_the_configuration_of_this_moment(room: Room) -> None:
    stored = await webhook(room, "client", url="https://example.com/a", headers={"X-Team": "ä"}, secret="schlüssel")
    await room.change("update webhooks set url = 'https://example.com/b' where id = :id", id=stored.id)
    (delivery,) = await room.plan(count_updated("client", traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01"))
    target = delivery.target
    assert (target.url, target.secret, dict(target.headers)) == (
        "https://example.com/b",
        "schlüssel".encode(),
        {"X-Team": "ä"},
    )
    assert delivery.happening.traceparent is not None


async def test_retry_sends_the_very_bytes_of_the_first_attempt(room: Room) -> None:
    await webhook(room, "client")
    data = '{"companyName":"Ünïcode \\u0000 \\"q\\" 😀","displayName":null,"status":"trial"}'.encode()
    (first,) = await room.plan(count_updated("client", data=data))
    await room.change("update deliveries set due_at = now(), leased_until = now()")
    (second,) = await room.due.claim(roomy, 10)
    assert make_request(second, START) == make_request(first, START)


async def test_event_of_an_unknown_workspace_is_stored_and_matched_to_nothing(room: Room) -> None:
    await webhook(room, "msp", descendants=True)
    event = count_updated("stranger")
    assert await room.plan(event) == []
    (row,) = await room.all("select id, workspace_id, type, data::text as data from events")
    assert (row.id, row.workspace_id, row.type, row.data) == (event.id, "stranger", STATUS, event.data.decode())


async def test_repeat_plans_nothing_when_it_comes_in_another_batch(room: Room) -> None:
    await webhook(room, "client")
    await room.plan(count_updated("client", source_id="1"))
    assert await room.plan(count_updated("client", source_id="1")) == []
    other_source = count_updated("client", source_id="1", source="coro/other")
    assert len(await room.plan(other_source)) == 1
    assert len(await room.all("select 1 from deliveries")) == 2


async def test_repeat_plans_nothing_when_two_batches_meet(room: Room) -> None:
    await webhook(room, "client")
    event = count_updated("client")
    plans = await asyncio.gather(
        *(room.another_planner().plan(decoded_of(event), at_most(1_000)) for _ in range(4)),
    )
    assert sum(len(plan.claimed) for plan in plans) == 1
    assert len(await room.all("select 1 from deliveries")) == 1


async def test_exactly_one_plans_when_two_replicas_hold_the_same_span(room: Room) -> None:
    await webhook(room, "client")
    await room.offsets.load({("coro.events", 0): 0, ("coro.events", 1): 0})
    spans = [Span("coro.events", 0, 0, 2), Span("coro.events", 1, 0, 2)]
    results = await asyncio.gather(
        room.another_planner().plan(decoded_of(count_updated("client"), spans=(spans[0], spans[1])), at_most(1_000)),
        room.another_planner().plan(decoded_of(count_updated("client"), spans=(spans[0],)), at_most(1_000)),
        return_exceptions=True,
    )
    lost = [result for result in results if isinstance(result, BaseException)]
    assert [type(error) for error in lost] == [FenceLostError]
    assert len(await room.all("select 1 from events")) == len(await room.all("select 1 from deliveries")) == 1


async def test_nothing_of_a_batch_counts_when_the_fence_is_lost(room: Room) -> None:
    await webhook(room, "client")
    await room.offsets.load({("coro.events", 0): 5})
    with pytest.raises(FenceLostError):
        await room.plan(count_updated("client"), spans=(Span("coro.events", 0, 4, 6),))
    assert await room.all("select 1 from events") == []
    assert await room.offsets.load({("coro.events", 0): 0}) == {("coro.events", 0): 5}
