"""Explain: each rule's verdict on a past event and on one made up."""

import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from coro_events.contract.envelope import event_id
from coro_events.store.tables import deliveries, events, outbox, webhooks
from coro_events.store.unit import Database
from tests.integration.api.calls import WEBHOOKS, Api, insert_credential
from tests.integration.api.past import insert_delivery, insert_event
from tests.support.clock import FakeClock
from tests.support.makers import insert_workspace

MINUTE = timedelta(minutes=1)
RULES = ["state", "trigger", "tree", "version", "time", "duplicate"]


class Room:
    """One webhook, which exists since an hour."""

    def __init__(self, api: Api, database: Database, clock: FakeClock, webhook: dict[str, Any]) -> None:
        self.api = api
        self.database = database
        self.clock = clock
        self.now = clock.now()
        self.webhook = webhook
        self.path = f"{WEBHOOKS}/{webhook['id']}/explain"

    async def set(self, **values: Any) -> None:
        """Change the webhook's row."""
        async with self.database.write() as connection:
            mine = webhooks.c.id == uuid.UUID(self.webhook["id"])
            await connection.execute(update(webhooks).where(mine).values(values))

    async def ask(self, **params: Any) -> httpx.Response:
        """Ask about a past event."""
        return await self.api.get(self.path, params=params)

    async def past(self, event: uuid.UUID) -> dict[str, Any]:
        """Return the explanation of a past event."""
        return _read(await self.ask(eventId=str(event)))

    async def made_up(self, **changes: Any) -> dict[str, Any]:
        """Return the explanation of an event that did not happen."""
        body = {"type": "workspaceCreated.v1", "workspaceId": "acme"} | changes
        return _read(await self.api.call("POST", self.path, json=body))


def _read(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert [verdict["rule"] for verdict in body["rules"]] == RULES
    assert all(verdict["sentence"].endswith(".") for verdict in body["rules"])
    return body


def broken(explanation: dict[str, Any]) -> list[str]:
    """Return the rules that do not hold."""
    return [verdict["rule"] for verdict in explanation["rules"] if not verdict["holds"]]


@pytest.fixture
async def room(api: Api, database: Database, clock: FakeClock) -> Room:
    """Return a webhook for new workspaces of `acme` alone, made an hour ago."""
    webhook = await api.create(triggers=["workspaceCreated.v1"], applyToAllDescendants=False)
    made = Room(api, database, clock, webhook)
    await made.set(created_at=made.now - 60 * MINUTE)
    return made


async def test_past_event_reaches_when_it_has_a_delivery(room: Room) -> None:
    hook_id = await insert_delivery(room.database, room.webhook["id"], room.now - MINUTE, state="delivered")
    async with room.database.read() as connection:
        event = await connection.scalar(select(deliveries.c.event_id))

    explanation = await room.past(event)

    assert explanation["reaches"]
    assert broken(explanation) == []
    assert explanation["event"]["id"] == str(event)
    assert (explanation["delivery"]["id"], explanation["delivery"]["state"]) == (str(hook_id), "delivered")


async def test_past_event_is_found_by_the_name_that_its_source_gave_it(room: Room) -> None:
    event = event_id("billing", "42")
    await insert_event(room.database, room.now - MINUTE, id=event, source="billing", source_id="42")

    explanation = _read(await room.ask(source="billing", sourceId="42"))

    assert (explanation["event"]["source"], explanation["event"]["sourceId"]) == ("billing", "42")
    assert not explanation["reaches"]
    # It came in and made no delivery, and all else holds now: a repeat does not help.
    assert broken(explanation) == ["duplicate"]
    assert "replay" in explanation["sentence"]


@pytest.mark.parametrize(
    ("event", "rules"),
    [
        ({"type": "subscription-updated"}, ["trigger", "duplicate"]),
        ({"workspace_id": "acme-east"}, ["tree", "duplicate"]),
        ({"type": "subscription-updated", "workspace_id": "acme-east"}, ["trigger", "tree", "duplicate"]),
        ({"type": "test"}, ["trigger", "duplicate"]),
    ],
)
async def test_rules_that_kept_a_past_event_away_are_named(room: Room, event: dict[str, Any], rules: list[str]) -> None:
    explanation = await room.past(await insert_event(room.database, room.now - MINUTE, **event))

    assert broken(explanation) == rules
    assert explanation["delivery"] is None


async def test_time_is_the_reason_when_the_webhook_came_later_or_was_disabled_then(room: Room) -> None:
    early = await insert_event(room.database, room.now - 90 * MINUTE)
    assert broken(await room.past(early)) == ["time", "duplicate"]

    # By the API, so that the activity log tells of it: disabled now, an event after that, enabled again.
    assert (await room.api.put(room.webhook, status="disabled")).status_code == 200
    meanwhile = await insert_event(room.database, room.clock.now() + MINUTE)
    assert broken(await room.past(meanwhile)) == ["state", "time", "duplicate"]

    room.clock.set(room.now + 3 * MINUTE)
    assert (await room.api.put(room.webhook, status="enabled")).status_code == 200
    explanation = await room.past(meanwhile)
    assert broken(explanation) == ["time", "duplicate"]
    assert "when the webhook was disabled" in explanation["sentence"]


@pytest.mark.parametrize("state", ["disabled", "expired"])
async def test_state_is_the_reason_when_the_webhook_gets_nothing(room: Room, state: str) -> None:
    await room.set(state=state, disabled_reason="4 of 4 attempts failed.")

    explanation = await room.made_up()

    assert broken(explanation) == ["state"]
    assert not explanation["reaches"]
    assert state in explanation["sentence"]


async def test_made_up_event_reaches_when_every_rule_holds_and_nothing_is_written(room: Room) -> None:
    before = await counts(room.database)

    explanation = await room.made_up()

    assert explanation["reaches"]
    assert explanation["sentence"] == "Such an event would reach this webhook."
    assert explanation["event"]["occurred"] == int(room.now.timestamp() * 1000)
    assert (explanation["event"]["id"], explanation["event"]["received"], explanation["delivery"]) == (None, None, None)
    assert await counts(room.database) == before


async def counts(database: Database) -> list[int]:
    """Return how many events, deliveries and messages there are."""
    async with database.read() as connection:
        return [await connection.scalar(select(func.count()).select_from(one)) for one in (events, deliveries, outbox)]


@pytest.mark.parametrize(
    ("body", "rules"),
    [
        ({"type": "workspace-created"}, []),
        ({"type": "workspaceCreated"}, []),
        ({"type": "workspaceCreated.v2"}, ["version"]),
        ({"type": "subscription-updated"}, ["trigger"]),
        ({"workspaceId": "acme-east"}, ["tree"]),
        ({"occurred": 0}, []),
    ],
)
async def test_made_up_event_is_put_before_every_rule(room: Room, body: dict[str, Any], rules: list[str]) -> None:
    explanation = await room.made_up(**body)
    assert broken(explanation) == rules
    assert explanation["reaches"] is not bool(rules)


async def test_nobody_learns_whether_a_workspace_of_another_tree_exists(room: Room) -> None:
    known, unknown = [await room.made_up(workspaceId=one) for one in ("rival", "nobody")]
    assert broken(known) == broken(unknown) == ["tree"]
    assert known["sentence"].replace("rival", "nobody") == unknown["sentence"]
    foreign = await insert_event(room.database, room.now - MINUTE, workspace_id="rival")
    homeless = await insert_event(room.database, room.now - MINUTE, workspace_id="nobody")
    for event in (foreign, homeless, uuid.uuid4(), "x"):
        answer = await room.ask(eventId=str(event))
        assert answer.status_code == 404
        assert answer.json()["type"] == "urn:coro:problem:no-such-event"


async def test_workspace_below_is_reached_when_the_webhook_applies_to_all_descendants(room: Room) -> None:
    await insert_workspace(room.database, "acme-east-shop", parent="acme-east")
    await room.set(apply_to_all_descendants=True)
    assert (await room.made_up(workspaceId="acme-east-shop"))["reaches"]


@pytest.mark.parametrize(
    ("params", "fields"),
    [
        ({}, ["source", "sourceId"]),
        ({"source": "billing"}, ["sourceId"]),
        ({"source": "billing", "sourceId": ""}, ["sourceId"]),
        ({"source": "a\0", "sourceId": "x" * 256}, ["source", "sourceId"]),
        ({"eventId": str(uuid.UUID(int=0)), "source": "billing"}, ["source"]),
    ],
)
async def test_question_is_refused_when_it_names_no_event(
    room: Room, params: dict[str, str], fields: list[str]
) -> None:
    answer = await room.ask(**params)
    assert answer.status_code == 400, answer.text
    assert [fault["field"] for fault in answer.json()["errors"]] == fields


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "test"}, "type"),
        ({"type": "nothing.v1"}, "type"),
        ({"workspaceId": "a\0b"}, "workspaceId"),
        ({"workspaceId": ""}, "workspaceId"),
        ({"occurred": -1}, "occurred"),
        ({"more": 1}, "more"),
    ],
)
async def test_made_up_event_is_refused_when_it_breaks_a_rule(room: Room, body: dict[str, Any], field: str) -> None:
    whole = {"type": "workspaceCreated.v1", "workspaceId": "acme"} | body
    answer = await room.api.call("POST", room.path, json=whole)
    assert answer.status_code == 400, answer.text
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


async def test_viewer_may_ask_and_callers_of_other_trees_may_not(room: Room) -> None:
    body = {"type": "workspaceCreated.v1", "workspaceId": "acme"}
    await insert_credential(room.database, client_id="viewer", role="viewer")
    await insert_credential(room.database, client_id="rival", workspace_id="rival")

    await room.api.sign_in("viewer")
    assert (await room.api.call("POST", room.path, json=body)).status_code == 200
    await room.api.sign_in("rival")
    assert (await room.api.call("POST", room.path, json=body)).status_code == 403
    assert (await room.api.elsewhere("rival").call("POST", room.path, json=body)).status_code == 404
