"""What becomes of deliveries when a draft is tried out, published or taken back, and when a version expires."""

import json
import uuid
from collections import Counter
from datetime import UTC, datetime

import pytest

from services.dispatcher.deliver.outcome import Outcome
from services.dispatcher.deliver.request import make_request
from services.dispatcher.intake.batch import TestRequest
from services.dispatcher.match.delivery import Delivery
from tests.integration.dispatcher.replaying import Replaying
from tests.integration.dispatcher.room import Room, count_updated, roomy
from tests.integration.dispatcher.versions import MAIN_URL, SHADOW_URL, Versions, make_versions
from tests.support.clock import START
from tests.support.dispatching import at_most, decoded_of, make_effect
from tests.support.makers import StoredWebhook, insert_workspace

EVENT, SHADOW = "event", "shadow"


@pytest.fixture
async def versions(room: Room) -> Versions:
    await insert_workspace(room.database, "acme")
    return await make_versions(room)


def body_of(delivery: Delivery) -> dict[str, object]:
    body: dict[str, object] = json.loads(make_request(delivery, START).body)
    return body


def kinds(deliveries: list[Delivery]) -> list[tuple[str, str, int]]:
    """Return kind, URL and version of each."""
    return sorted((one.kind.value, one.target.url, one.target.version) for one in deliveries)


async def leave(room: Room, count: int = 1) -> None:
    """Plan so many events, and leave their deliveries to everybody."""
    await room.planner.plan(decoded_of(*(count_updated("acme") for _ in range(count))), at_most(0))


async def claim(room: Room) -> list[Delivery]:
    return list(await room.due.claim(roomy, 1_000))


def asked_by_hand(webhook_id: uuid.UUID) -> TestRequest:
    return TestRequest(webhook_id=webhook_id, test_id=uuid.uuid4(), workspace_id="acme", requested_at=START)


# A draft that is tried out.


async def test_draft_gets_nothing_while_it_is_not_tried_out(room: Room, versions: Versions) -> None:
    assert kinds(await room.plan(count_updated("acme"))) == [(EVENT, MAIN_URL, 1)]
    assert await versions.deliveries(versions.draft) == []


async def test_draft_gets_the_new_format_at_its_second_url_while_it_is_tried_out(
    room: Room, versions: Versions
) -> None:
    await versions.shadow()
    planned = await room.plan(count_updated("acme"))
    assert kinds(planned) == [(EVENT, MAIN_URL, 1), (SHADOW, SHADOW_URL, 2)]
    (tried_out,) = (one for one in planned if one.kind.value == SHADOW)
    assert body_of(tried_out)["version"] == 2


async def test_shadow_goes_to_the_second_url_when_it_was_left_to_the_database(room: Room, versions: Versions) -> None:
    await versions.shadow()
    await leave(room)
    claimed = await claim(room)
    assert kinds(claimed) == [(EVENT, MAIN_URL, 1), (SHADOW, SHADOW_URL, 2)]
    assert {one.manual for one in claimed if one.kind.value == SHADOW} == {True}


async def test_draft_is_not_tried_out_while_its_original_delivers_nothing(room: Room, versions: Versions) -> None:
    await versions.shadow()
    await versions.set_state(versions.original, "disabled")
    assert await room.plan(count_updated("acme")) == []


async def test_failing_shadow_has_one_attempt_and_disables_nothing(room: Room, versions: Versions) -> None:
    await versions.shadow()
    planned = await room.plan(count_updated("acme"))
    failed = [make_effect(one, Outcome.RECEIVER_FAILED, status=500) for one in planned if one.kind.value == SHADOW]
    await room.ledger.record(failed)
    assert await versions.deliveries(versions.draft) == [(SHADOW, "failed")]
    assert await versions.states() == ("enabled", "draft")


@pytest.mark.parametrize("ends_by", ["publish", "stop"])
async def test_waiting_shadow_is_sent_nowhere_when_the_draft_is_tried_out_no_more(
    room: Room, versions: Versions, ends_by: str
) -> None:
    await versions.shadow()
    await leave(room)
    await (versions.publish() if ends_by == "publish" else versions.shadow(None))
    assert kinds(await claim(room)) == [(EVENT, MAIN_URL, 1)]
    assert await room.stopped.hold_back(100) == 1
    assert await versions.deliveries(versions.draft) == [(SHADOW, "discarded")]


async def test_shadow_is_no_delivery_when_a_replay_looks_for_what_was_missed(room: Room, versions: Versions) -> None:
    await versions.shadow()
    # Of a trigger that the draft alone wants, so that its original never got it.
    await room.change("update webhooks set triggers = '{workspace-created}' where id = :id", id=versions.original)
    (tried_out,) = await room.plan(count_updated("acme"))
    await room.ledger.record([make_effect(tried_out)])
    await versions.publish()
    replaying = replaying_of(room, versions.draft)
    assert await replaying.count() == (1, 0, 0)
    await replaying.ask("missed")
    assert await replaying.run() == 1
    (again,) = await claim(room)
    assert (again.kind.value, again.target.url, again.manual) == (EVENT, MAIN_URL, False)
    assert again.attempts_before == again.attempts == 1


# A draft that takes over.


def replaying_of(room: Room, webhook_id: uuid.UUID) -> Replaying:
    return Replaying(room, StoredWebhook(id=webhook_id, workspace_id="acme", url=MAIN_URL, secret="", headers={}))


async def test_what_was_planned_before_the_switch_goes_out_in_the_old_format(room: Room, versions: Versions) -> None:
    await leave(room, 3)
    await versions.publish()
    await leave(room, 2)
    assert await room.stopped.hold_back(100) == 0
    assert Counter(one.target.version for one in await claim(room)) == {1: 3, 2: 2}


async def test_retry_after_the_switch_sends_the_old_format_again(room: Room, versions: Versions) -> None:
    (first,) = await room.plan(count_updated("acme"))
    await room.ledger.record([make_effect(first, Outcome.TIMED_OUT)])
    await versions.publish()
    await room.change("update deliveries set due_at = now(), leased_until = now()")
    (again,) = await claim(room)
    assert make_request(again, START).body == make_request(first, START).body


async def test_nothing_is_disabled_when_what_the_old_one_had_left_fails_for_good(
    room: Room, versions: Versions
) -> None:
    planned = await room.plan(count_updated("acme"))
    await versions.publish()
    await room.ledger.record([make_effect(one, Outcome.GONE, status=410) for one in planned])
    assert await versions.states() == ("disabled", "enabled")
    (row,) = await room.all("select disabled_reason from webhooks where id = :id", id=versions.original)
    assert row.disabled_reason == "replaced"
    assert await room.all("select 1 from activity_log where action = 'webhook.disabled'") == []


async def test_what_was_planned_while_it_was_published_goes_out_when_it_is_taken_back(
    room: Room, versions: Versions
) -> None:
    await versions.publish()
    await leave(room, 2)
    await versions.switch_back()
    await leave(room, 1)
    assert await room.stopped.hold_back(100) == 0
    claimed = await claim(room)
    assert Counter(one.target.version for one in claimed) == {2: 2, 1: 1}
    await room.ledger.record([make_effect(one, Outcome.GONE, status=410) for one in claimed if one.target.version == 2])
    assert await versions.states() == ("enabled", "draft")


async def test_what_the_old_one_got_is_not_missed_when_the_new_one_is_replayed(room: Room, versions: Versions) -> None:
    await room.plan(count_updated("acme"), count_updated("acme"))
    await versions.publish()
    await room.plan(count_updated("acme"))
    await versions.set_state(versions.draft, "disabled")
    await room.plan(count_updated("acme"))
    await versions.set_state(versions.draft, "enabled")
    replaying = replaying_of(room, versions.draft)
    assert await replaying.count() == (1, 0, 0)
    await replaying.ask("missed")
    assert await replaying.run() == 1


# A version that expires.


async def test_expired_webhook_gets_nothing_more(room: Room, versions: Versions) -> None:
    await leave(room, 2)
    await room.planner.plan(decoded_of(tests=[asked_by_hand(versions.original)]), at_most(1_000))
    await room.change("update deliveries set due_at = now(), leased_until = now()")
    await versions.set_state(versions.original, "expired")
    assert await room.plan(count_updated("acme")) == []
    assert await claim(room) == []
    assert await room.stopped.hold_back(2) == 2
    assert await room.stopped.hold_back(2) == 1
    assert await versions.deliveries(versions.original) == [(EVENT, "discarded")] * 2 + [("test", "discarded")]


async def test_test_of_an_expired_webhook_is_not_planned(room: Room, versions: Versions) -> None:
    await versions.set_state(versions.original, "expired")
    assert (await room.planner.plan(decoded_of(tests=[asked_by_hand(versions.original)]), at_most(1_000))).claimed == []


async def test_what_waits_for_a_replaced_webhook_is_given_up_when_it_expires(room: Room, versions: Versions) -> None:
    await leave(room)
    await versions.publish()
    await versions.set_state(versions.original, "expired")
    assert await claim(room) == []
    assert await room.stopped.hold_back(100) == 1
    assert await versions.deliveries(versions.original) == [(EVENT, "discarded")]


async def test_every_way_to_an_attempt_tells_the_end_of_its_version(room: Room, versions: Versions) -> None:
    released_at, expires_at = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC)
    told = {"Deprecation": "@1772323200", "Sunset": "Tue, 01 Sep 2026 00:00:00 GMT"}
    (before,) = await room.plan(count_updated("acme"))
    assert before.target.retirement == {}
    await room.change("update webhook_versions set released_at = :at where version = 2", at=released_at)
    await room.change("update webhook_versions set expires_at = :at where version = 1", at=expires_at)
    try:
        await versions.shadow()
        tests = [asked_by_hand(versions.original), asked_by_hand(versions.draft)]
        planned = (await room.planner.plan(decoded_of(count_updated("acme"), tests=tests), at_most(1_000))).claimed
        await room.change("update deliveries set due_at = now(), leased_until = now()")
        for ways in (planned, await claim(room)):
            assert {one.target.version: dict(one.target.retirement) for one in ways} == {1: told, 2: {}}
    finally:
        await room.change("update webhook_versions set released_at = null where version = 2")
        await room.change("update webhook_versions set expires_at = null where version = 1")


# The place that version 2 tells.


async def test_every_attempt_tells_the_place_as_it_was_when_the_event_came(room: Room, versions: Versions) -> None:
    await insert_workspace(room.database, "acme-east", "acme")
    await insert_workspace(room.database, "bolt")
    await versions.publish()
    planned = (await room.planner.plan(decoded_of(count_updated("acme-east")), at_most(1_000))).claimed
    (first,) = planned
    workspace = {
        "id": "acme-east",
        "displayName": "Workspace acme-east",
        "type": "child",
        "path": ["acme", "acme-east"],
    }
    assert body_of(first)["workspace"] == workspace
    await room.ledger.record([make_effect(first, Outcome.TIMED_OUT)])
    await room.change(
        "update workspaces set display_name = 'Renamed', path = '{bolt,acme-east}' where id = 'acme-east'"
    )
    await room.change("update deliveries set due_at = now(), leased_until = now()")
    (again,) = await claim(room)
    assert make_request(again, START).body == make_request(first, START).body


async def test_place_is_not_looked_up_when_no_version_at_hand_tells_it(room: Room, versions: Versions) -> None:
    (planned,) = await room.plan(count_updated("acme"))
    await room.change("update deliveries set due_at = now(), leased_until = now()")
    (claimed,) = await claim(room)
    assert planned.target.webhook_id == claimed.target.webhook_id == versions.original
    assert planned.happening.place is claimed.happening.place is None
