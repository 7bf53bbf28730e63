"""Replays: counted, asked for, read, cancelled."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from coro_events.store.replaying import first_day_of
from coro_events.store.tables import replays, webhooks
from coro_events.store.unit import Database
from tests.integration.api.calls import WEBHOOKS, Api, activities, insert_credential
from tests.integration.api.past import insert_delivery, insert_event, stored_replays
from tests.support.clock import FakeClock

HOUR = timedelta(hours=1)


class Room:
    """One webhook and its replays."""

    def __init__(self, api: Api, database: Database, clock: FakeClock, webhook: dict[str, Any]) -> None:
        self.api = api
        self.database = database
        self.webhook = webhook
        self.path = f"{WEBHOOKS}/{webhook['id']}/replays"
        self.now = clock.now()
        self.since = int((self.now - HOUR).timestamp() * 1000)

    async def ask(self, **changes: Any) -> httpx.Response:
        """Ask for a replay of the last hour."""
        return await self.api.call("POST", self.path, json={"since": self.since} | changes)

    async def begin(self, **changes: Any) -> dict[str, Any]:
        """Ask for a replay and return it."""
        answer = await self.ask(**changes)
        assert answer.status_code == 202, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def change_webhook(self, **values: Any) -> None:
        """Change the webhook's row."""
        async with self.database.write() as connection:
            mine = webhooks.c.id == uuid.UUID(self.webhook["id"])
            await connection.execute(update(webhooks).where(mine).values(values))

    async def change_replays(self, **values: Any) -> None:
        """Change every row of replays, as the dispatcher does."""
        async with self.database.write() as connection:
            await connection.execute(update(replays).values(values))

    async def told(self) -> list[str]:
        """Return the actions of the activity log that are about replays."""
        return [
            action for action, _, _ in await activities(self.database, subject=self.webhook["id"]) if "replay" in action
        ]


@pytest.fixture
async def room(api: Api, database: Database, clock: FakeClock) -> Room:
    """Return a webhook with two missed, one held and three failed deliveries, and some that do not count."""
    room = Room(api, database, clock, await api.create())
    webhook_id, then = room.webhook["id"], room.now - HOUR / 2
    for workspace_id in ("acme", "acme-east"):
        await insert_event(database, then, workspace_id=workspace_id)
    await insert_delivery(database, webhook_id, then, state="held")
    for _ in range(3):
        await insert_delivery(database, webhook_id, then)
    # Of another tree, of another trigger, too old, delivered, a test, of another webhook.
    await insert_event(database, then, workspace_id="rival")
    await insert_event(database, then, type="subscription-updated")
    await insert_event(database, room.now - 2 * HOUR)
    await insert_delivery(database, webhook_id, room.now - 2 * HOUR)
    await insert_delivery(database, webhook_id, then, state="delivered")
    await insert_delivery(database, webhook_id, then, kind="test")
    return room


async def test_dry_run_counts_and_writes_nothing(room: Room) -> None:
    answer = await room.ask(dryRun=True)

    assert answer.status_code == 200
    assert answer.json() == {"dryRun": True, "missed": 2, "held": 1, "failed": 3}
    assert await stored_replays(room.database) == []
    assert await room.told() == []


async def test_dry_run_counts_only_what_is_included(room: Room) -> None:
    answer = await room.ask(dryRun=True, include=["failed"])

    assert answer.json() == {"dryRun": True, "missed": 0, "held": 0, "failed": 3}


async def test_descendants_do_not_count_when_the_webhook_is_of_its_own_workspace_alone(room: Room) -> None:
    await room.change_webhook(apply_to_all_descendants=False)

    assert (await room.ask(dryRun=True)).json()["missed"] == 1


async def test_replay_begins_with_its_first_day_and_says_where_to_look(room: Room) -> None:
    answer = await room.ask(include=["failed", "missed"], ratePerSecond=50)

    assert answer.status_code == 202
    body = answer.json()
    assert answer.headers["location"] == f"{room.path}/{body['id']}"
    assert body == {
        "id": body["id"],
        "state": "running",
        "since": room.since,
        "include": ["missed", "failed"],
        "ratePerSecond": 50,
        "expected": 5,
        "replayed": 0,
        "created": body["created"],
        "finished": None,
        "reason": None,
    }
    (row,) = await stored_replays(room.database)
    assert (row.state, row.includes, row.rate_per_s, row.expected) == ("running", ["missed", "failed"], 50, 5)
    assert int(row.since.timestamp() * 1000) == room.since
    assert (row.cursor_day, row.cursor_at, row.cursor_id) == (first_day_of(row.since), row.since, uuid.UUID(int=0))
    assert row.workspace_id == "acme"
    assert (await room.api.get(answer.headers["location"])).json() == body


async def test_request_is_told_in_the_activity_log(room: Room) -> None:
    replay = await room.begin()

    action, actor, detail = (await activities(room.database, subject=room.webhook["id"]))[-1]
    assert action == "webhook.replay_requested"
    assert actor.startswith("credential:client-")
    assert detail == {
        "name": "Billing",
        "replayId": replay["id"],
        "since": room.since,
        "include": ["missed", "held", "failed"],
        "ratePerSecond": 200,
        "expected": 6,
    }


async def test_replay_is_refused_when_one_is_running(room: Room) -> None:
    answers = await asyncio.gather(*(room.ask() for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["type"] == "urn:coro:problem:replay-running"
    assert await room.told() == ["webhook.replay_requested"]
    await room.change_replays(state="done", finished_at=room.now)
    assert (await room.ask()).status_code == 202


async def test_replay_is_refused_with_what_to_do_when_the_webhook_is_disabled(room: Room) -> None:
    await room.change_webhook(state="disabled", disabled_reason="x")

    answer = await room.ask()

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:coro:problem:wrong-state"
    assert "enable it first" in answer.json()["detail"]
    assert (await room.ask(dryRun=True)).json()["failed"] == 3
    await room.change_webhook(state="expired")
    assert (await room.ask()).status_code == 409
    assert (await room.ask(dryRun=True)).status_code == 409
    assert await stored_replays(room.database) == []


@pytest.mark.parametrize("dry_run", [True, False])
async def test_replay_is_refused_when_its_time_lies_ahead_or_too_far_back(room: Room, *, dry_run: bool) -> None:
    day_ms = 86_400_000
    now_ms = room.since + 3_600_000

    for since, rule in ((now_ms + 1, "future"), (now_ms - 31 * day_ms, "30 days")):
        answer = await room.ask(since=since, dryRun=dry_run)
        assert answer.status_code == 400
        (fault,) = answer.json()["errors"]
        assert fault["field"] == "since"
        assert rule in fault["message"]
    assert (await room.ask(since=now_ms - 30 * day_ms, dryRun=dry_run)).is_success


async def test_every_fault_is_named_when_the_body_is_wrong(room: Room) -> None:
    answer = await room.ask(since="yesterday", include=["all"], ratePerSecond=0, colour="red")

    assert answer.status_code == 400
    faults = {error["field"] for error in answer.json()["errors"]}
    assert faults == {"since", "include.0", "ratePerSecond", "colour"}


async def test_replays_are_listed_newest_first_and_in_pages(room: Room) -> None:
    made = []
    for _ in range(3):
        made.append((await room.begin())["id"])
        await room.change_replays(state="done", finished_at=room.now, replayed=6)

    listed = (await room.api.get(room.path, params={"pageSize": 2})).json()
    rest = (await room.api.get(room.path, params={"pageSize": 2, "page": 1})).json()

    assert listed["totalElements"] == rest["totalElements"] == 3
    assert [item["id"] for item in listed["items"] + rest["items"]] == made[::-1]
    assert {(item["state"], item["replayed"], item["finished"]) for item in listed["items"]} == {
        ("done", 6, int(room.now.timestamp() * 1000))
    }


async def test_running_replay_is_cancelled_once(room: Room) -> None:
    replay = await room.begin()
    await room.change_replays(replayed=4)

    first = await room.api.call("DELETE", f"{room.path}/{replay['id']}")
    second = await room.api.call("DELETE", f"{room.path}/{replay['id']}")

    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert (first.json()["state"], first.json()["reason"]) == ("cancelled", "cancelled by hand")
    assert first.json()["finished"] == int(room.now.timestamp() * 1000)
    assert await room.told() == ["webhook.replay_requested", "webhook.replay_cancelled"]
    detail = (await activities(room.database, subject=room.webhook["id"]))[-1][2]
    assert detail == {"replayId": replay["id"], "replayed": 4, "reason": "cancelled by hand"}


async def test_cancelling_is_refused_when_the_replay_is_done(room: Room) -> None:
    replay = await room.begin()
    await room.change_replays(state="done", finished_at=room.now)

    answer = await room.api.call("DELETE", f"{room.path}/{replay['id']}")

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:coro:problem:replay-over"


async def test_replay_is_not_found_when_it_is_of_another_webhook_or_workspace(room: Room) -> None:
    replay = await room.begin()
    other = await room.api.create(name="Other")

    for api, path in (
        (room.api, f"{room.path}/{uuid.uuid4()}"),
        (room.api, f"{room.path}/x"),
        (room.api, f"{WEBHOOKS}/{other['id']}/replays/{replay['id']}"),
        (room.api.elsewhere("acme-east"), f"{room.path}/{replay['id']}"),
        (room.api, f"{WEBHOOKS}/x/replays/{replay['id']}"),
    ):
        for method in ("GET", "DELETE"):
            answer = await api.call(method, path)
            assert answer.status_code == 404, (method, path)
    for workspace, path in (("acme-east", room.path), ("acme", f"{WEBHOOKS}/{uuid.uuid4()}/replays")):
        body = {"since": room.since}
        assert (await room.api.elsewhere(workspace).call("POST", path, json=body)).status_code == 404
        assert (await room.api.elsewhere(workspace).get(path)).status_code == 404


async def test_viewer_reads_replays_and_asks_for_none(room: Room) -> None:
    replay = await room.begin()
    await insert_credential(room.database, client_id="viewer", role="viewer")
    await room.api.sign_in("viewer")

    assert (await room.api.get(room.path)).status_code == 200
    assert (await room.api.get(f"{room.path}/{replay['id']}")).status_code == 200
    assert (await room.ask()).status_code == 403
    assert (await room.ask(dryRun=True)).status_code == 403
    assert (await room.api.call("DELETE", f"{room.path}/{replay['id']}")).status_code == 403


async def test_replays_are_out_of_reach_when_the_caller_is_of_another_tree(room: Room) -> None:
    replay = await room.begin()
    await insert_credential(room.database, client_id="rival", workspace_id="rival")
    await room.api.sign_in("rival")

    for method, path in (("POST", room.path), ("GET", room.path), ("DELETE", f"{room.path}/{replay['id']}")):
        assert (await room.api.call(method, path, json={"since": room.since})).status_code == 403
        # Under its own workspace, the webhook is not there.
        own = await room.api.elsewhere("rival").call(method, path, json={"since": room.since})
        assert own.status_code == 404
