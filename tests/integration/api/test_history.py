"""Histories of deliveries: order, cursor, filters, and who sees what."""

import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest

from coro_events.store.unit import Database
from services.api.history import sql
from tests.integration.api.calls import WEBHOOKS, Api, insert_credential
from tests.integration.api.past import insert_attempt, insert_delivery
from tests.support.clock import FakeClock

MINUTE = timedelta(minutes=1)


class Room:
    """One webhook and its history."""

    def __init__(self, api: Api, database: Database, clock: FakeClock, webhook: dict[str, Any]) -> None:
        self.api = api
        self.database = database
        self.webhook = webhook
        self.now = clock.now()

    async def made(self, minutes_ago: int, *, webhook: str | None = None, **changes: Any) -> str:
        """Insert a delivered delivery and return its hook id."""
        at = self.now - minutes_ago * MINUTE
        values: dict[str, Any] = {"state": "delivered", "attempts": 1, "created_at": at} | changes
        hook_id = await insert_delivery(self.database, webhook or self.webhook["id"], at, **values)
        return str(hook_id)

    async def attempted(self, hook_id: str, **changes: Any) -> str:
        """Insert an attempt of a delivery."""
        await insert_attempt(self.database, uuid.UUID(hook_id), self.now, **changes)
        return hook_id

    async def ask(self, **params: Any) -> httpx.Response:
        """Ask for a page."""
        return await self.api.get(f"{WEBHOOKS}/{self.webhook['id']}/deliveries", params=params)

    async def ids(self, **params: Any) -> list[str]:
        """Return the ids of a page that has no successor."""
        answer = await self.ask(**params)
        assert answer.status_code == 200, answer.text
        assert answer.json()["nextCursor"] is None
        return [item["id"] for item in answer.json()["items"]]

    async def walk(self, path: str, **params: Any) -> list[list[str]]:
        """Return the ids of all pages, one after the other."""
        pages, cursor = [], None
        while True:
            answer = await self.api.get(path, params={**params, **({"cursor": cursor} if cursor else {})})
            assert answer.status_code == 200, answer.text
            pages.append([item["id"] for item in answer.json()["items"]])
            cursor = answer.json()["nextCursor"]
            if cursor is None:
                return pages
            assert len(pages) < 50


@pytest.fixture
async def room(api: Api, database: Database, clock: FakeClock) -> Room:
    """Return a webhook without deliveries."""
    return Room(api, database, clock, await api.create())


async def test_history_is_empty_when_nothing_was_delivered(room: Room) -> None:
    assert (await room.ask()).json() == {"items": [], "nextCursor": None}
    assert (await room.api.get("/v1/deliveries")).json() == {"items": [], "nextCursor": None}


async def test_entry_tells_of_delivery_event_and_last_attempt(room: Room) -> None:
    hook_id = await room.made(5, attempts=2, workspace_id="acme-east")
    await room.attempted(hook_id, status=503, outcome="busy")
    await room.attempted(hook_id, number=2, duration_ms=34)

    (item,) = (await room.ask()).json()["items"]

    event_id, created, finished, due = (item.pop(name) for name in ("eventId", "created", "finished", "due"))
    assert str(uuid.UUID(event_id)) == event_id
    assert (created, finished, due) == (_ms(room.now - 5 * MINUTE), _ms(room.now - 5 * MINUTE) + 2000, None)
    assert item == {
        "id": hook_id,
        "webhookId": room.webhook["id"],
        "workspaceId": "acme-east",
        "kind": "event",
        "type": "workspace-created",
        "state": "delivered",
        "attempts": 2,
        "lastAttempt": {"started": _ms(room.now), "durationMs": 34, "outcome": "delivered", "statusCode": 200},
    }


async def test_pending_delivery_tells_when_it_is_due(room: Room) -> None:
    await room.made(1, state="pending", attempts=0, due_at=room.now + MINUTE, finished_at=None)

    (item,) = (await room.ask()).json()["items"]

    assert (item["due"], item["finished"], item["lastAttempt"]) == (_ms(room.now + MINUTE), None, None)


async def test_pages_follow_each_other_newest_first_without_gap_or_repeat(room: Room) -> None:
    # Several of the same moment, and of several days, as a replay makes them.
    hook_ids = [await room.made(minutes) for minutes in (1, 2, 2, 2, 3, 60 * 24 * 2, 60 * 24 * 5)]

    pages = await room.walk(f"{WEBHOOKS}/{room.webhook['id']}/deliveries", pageSize=2)

    assert [len(page) for page in pages] == [2, 2, 2, 1]
    flat = [hook_id for page in pages for hook_id in page]
    assert sorted(flat) == sorted(hook_ids)
    assert (flat[0], flat[-1]) == (hook_ids[0], hook_ids[-1])


async def test_new_deliveries_do_not_move_a_page(room: Room) -> None:
    old = [await room.made(minutes) for minutes in (2, 3, 4)]
    cursor = (await room.ask(pageSize=1)).json()["nextCursor"]
    await room.made(1)

    assert await room.ids(cursor=cursor) == old[1:]


async def test_workspace_sees_the_deliveries_of_its_webhooks_alone(room: Room) -> None:
    other = await room.api.create(name="Other")
    # The same moment and the same event for two webhooks, page by page.
    mine = [await room.made(minutes, webhook=webhook) for minutes in (1, 2) for webhook in (None, other["id"])]
    east = await room.api.elsewhere("acme-east").create(name="East")
    foreign = await room.made(1, webhook=east["id"], workspace_id="acme-east")

    pages = await room.walk("/v1/deliveries", pageSize=1)

    assert sorted(page[0] for page in pages) == sorted(mine)
    answer = await room.api.elsewhere("acme-east").get("/v1/deliveries")
    assert [item["id"] for item in answer.json()["items"]] == [foreign]


@pytest.fixture
async def mixed(room: Room) -> dict[str, str]:
    """Return deliveries of every sort by a name."""
    return {
        "plain": await room.attempted(await room.made(1)),
        "moved": await room.attempted(await room.made(2, state="failed"), status=302, outcome="redirected"),
        "refused": await room.attempted(await room.made(3, state="failed"), status=404, outcome="refused_by_receiver"),
        "broken": await room.attempted(await room.made(4, state="held"), status=500, outcome="receiver_failed"),
        "silent": await room.attempted(await room.made(5, state="failed"), status=None, outcome="timed_out"),
        "pending": await room.made(6, state="pending", attempts=0, finished_at=None),
        "test": await room.attempted(await room.made(7, kind="test", event={"type": "test"})),
        "child": await room.attempted(
            await room.made(8, workspace_id="acme-east", event={"type": "subscription-updated"})
        ),
        "discarded": await room.made(9, state="discarded", attempts=0),
    }


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({"state": "failed"}, "moved refused silent"),
        ({"state": ["failed", "held", "discarded"]}, "moved refused broken silent discarded"),
        ({"state": ["pending", "held"]}, "broken pending"),
        ({"state": "delivered", "kind": "event"}, "plain child"),
        ({"kind": "test"}, "test"),
        ({"type": "subscription-updated"}, "child"),
        ({"type": ["subscription-updated", "workspace-created"], "state": "held"}, "broken"),
        ({"workspaceId": "acme-east"}, "child"),
        ({"workspaceId": "rival"}, ""),
        ({"response": "2xx"}, "plain test child"),
        ({"response": "3xx"}, "moved"),
        ({"response": "4xx"}, "refused"),
        ({"response": "5xx"}, "broken"),
        ({"response": "none"}, "silent pending discarded"),
    ],
)
async def test_filters_leave_what_was_asked_for(
    room: Room, mixed: dict[str, str], params: dict[str, Any], names: str
) -> None:
    wanted = [mixed[name] for name in names.split()]

    assert await room.ids(**params) == wanted
    answer = await room.api.get("/v1/deliveries", params=params)
    assert [item["id"] for item in answer.json()["items"]] == wanted


async def test_times_bound_a_history(room: Room, mixed: dict[str, str]) -> None:
    since, until = _ms(room.now - 4 * MINUTE), _ms(room.now - 2 * MINUTE)

    # Stored to the microsecond, asked for to the millisecond.
    assert await room.ids(since=since, until=until + 1) == [mixed["moved"], mixed["refused"], mixed["broken"]]
    assert await room.ids(since=since, until=until - 60_000) == [mixed["broken"]]
    assert await room.ids(until=253_402_300_799_999) == list(mixed.values())


async def test_page_ends_early_and_goes_on_when_what_is_wanted_is_rare(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "LOOKED_AT", 3)
    for minutes in range(1, 8):
        await room.made(minutes)
    rare = await room.made(8, workspace_id="acme-east")

    path = f"{WEBHOOKS}/{room.webhook['id']}/deliveries"
    assert await room.walk(path, workspaceId="acme-east") == [[], [], [rare]]
    assert [page for page in await room.walk("/v1/deliveries", workspaceId="acme-east") if page] == [[rare]]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "A" * 54}, None),
        ({"cursor": "_" * 54}, "cursor"),
        ({"cursor": "é"}, "cursor"),
        ({"cursor": "A" * 101}, "cursor"),
        ({"state": "lost"}, "state.0"),
        ({"type": "workspaceCreated.v1"}, "type.0"),
        ({"kind": "other"}, "kind"),
        ({"response": "200"}, "response"),
        ({"since": "-1"}, "since"),
        ({"until": 10**15}, "until"),
        ({"since": 5, "until": 5}, "until"),
        ({"workspaceId": "a\0b"}, "workspaceId"),
        ({"workspaceId": "x" * 129}, "workspaceId"),
        ({"pageSize": 101}, "pageSize"),
    ],
)
async def test_request_is_refused_with_the_field_when_a_parameter_is_faulty(
    room: Room, params: dict[str, Any], field: str | None
) -> None:
    for answer in (await room.ask(**params), await room.api.get("/v1/deliveries", params=params)):
        if field is None:
            assert answer.status_code == 200
        else:
            assert answer.status_code == 400, answer.text
            assert [fault["field"] for fault in answer.json()["errors"]] == [field]


async def test_nobody_sees_deliveries_of_another_tree_and_a_viewer_sees_them_all(room: Room) -> None:
    hook_id = await room.made(1)
    path = f"{WEBHOOKS}/{room.webhook['id']}/deliveries"
    await insert_credential(room.database, client_id="rival", workspace_id="rival")
    await insert_credential(room.database, client_id="viewer", role="viewer")

    await room.api.sign_in("rival")
    for one in ("", f"/{hook_id}"):
        assert (await room.api.get(path + one)).status_code == 403
        assert (await room.api.elsewhere("rival").get(path + one)).status_code == 404
    assert (await room.api.elsewhere("rival").get("/v1/deliveries")).json()["items"] == []
    await room.api.sign_in("viewer")
    for one in ("", f"/{hook_id}"):
        assert (await room.api.get(path + one)).status_code == 200
    assert (await room.api.get(f"{WEBHOOKS}/x/deliveries")).status_code == 404


def _ms(instant: Any) -> int:
    return int(instant.timestamp() * 1000)
