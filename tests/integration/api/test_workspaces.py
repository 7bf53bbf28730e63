"""The tree by REST: who reads it, who writes it, and what is refused."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from coro_events.store.tables import webhooks
from coro_events.store.unit import Database
from tests.integration.api.calls import WEBHOOKS, Api, activities, insert_credential, messages
from tests.integration.api.trees import WORKSPACES, crooked, faults, move, paths, put
from tests.support.makers import insert_workspace


@pytest.fixture
async def service(api: Api, database: Database) -> Api:
    """Return an internal service's calls in `acme`, a channel with the child `acme-east`."""
    await insert_credential(database, client_id="keeper", role="service")
    service = Api(api.http, workspace="acme")
    await service.sign_in("keeper")
    return service


async def test_workspace_is_created_then_changed_when_it_is_put_twice(service: Api, database: Database) -> None:
    first = await put(service, "shop")
    second = await put(service, "shop", displayName="Renamed", status="inactive")
    third = await put(service, "shop", displayName="Renamed", status="inactive")

    assert [first.status_code, second.status_code, third.status_code] == [201, 200, 200]
    assert first.headers["location"] == f"{WORKSPACES}/shop"
    assert second.json() | {"created": 0, "updated": 0} == {
        "id": "shop",
        "type": "child",
        "displayName": "Renamed",
        "parentWorkspaceId": "acme",
        "path": ["acme", "shop"],
        "status": "inactive",
        "notificationsLevel": "all",
        "archived": None,
        "created": 0,
        "updated": 0,
    }
    assert (await service.get(f"{WORKSPACES}/shop")).json() == third.json()
    assert await activities(database, subject="shop") == [
        (
            "workspace.created",
            "credential:keeper",
            {"type": "child", "displayName": "Example Trade", "parentWorkspaceId": "acme", "status": "subscription"},
        ),
        ("workspace.updated", "credential:keeper", {"changed": ["displayName", "status"]}),
    ]


async def test_who_hears_by_mail_stays_as_it_is_when_a_body_does_not_say(service: Api, database: Database) -> None:
    answers = [
        await put(service, "shop", notificationsLevel="localAdmins"),
        await put(service, "shop"),
        await put(service, "shop", notificationsLevel="none"),
        await put(service, "shop", displayName="Renamed"),
    ]
    assert [one.json()["notificationsLevel"] for one in answers] == ["localAdmins", "localAdmins", "none", "none"]
    page = await service.get(WORKSPACES)
    assert {one["id"]: one["notificationsLevel"] for one in page.json()["items"]} == {
        "acme": "all",
        "acme-east": "all",
        "shop": "none",
    }
    assert [detail for _, _, detail in await activities(database, subject="shop")] == [
        {
            "type": "child",
            "displayName": "Example Trade",
            "parentWorkspaceId": "acme",
            "status": "subscription",
            "notificationsLevel": "localAdmins",
        },
        {"changed": ["notificationsLevel"]},
        {"changed": ["displayName"]},
    ]
    assert [field for field, _ in faults(await put(service, "shop", notificationsLevel="some"))] == [
        "notificationsLevel"
    ]


async def test_who_hears_by_mail_stays_as_it_is_when_a_workspace_is_moved(service: Api) -> None:
    await put(service, "north", type="channel")
    await put(service, "shop", notificationsLevel="parent")

    moved = await move(service, "shop", "north")

    assert moved.json()["notificationsLevel"] == "parent"


async def test_all_below_comes_along_when_a_workspace_is_moved(service: Api, database: Database) -> None:
    for name in ("north", "south"):
        await put(service, name, type="channel")
    await put(service, "inner", type="channel", parentWorkspaceId="north")
    await put(service, "shop", parentWorkspaceId="inner")

    answer = await move(service, "inner", "south")

    assert answer.json()["path"] == ["acme", "south", "inner"]
    assert (await paths(database))["shop"] == ["acme", "south", "inner", "shop"]
    assert (await activities(database, subject="inner"))[-1] == (
        "workspace.moved",
        "credential:keeper",
        {"from": "north", "to": "south", "workspaces": 2},
    )
    await put(service, "inner", type="channel", parentWorkspaceId="north")
    assert (await paths(database))["shop"] == ["acme", "north", "inner", "shop"]
    assert await crooked(database) == []


@pytest.mark.parametrize(
    ("parent", "rule"),
    [
        ("inner", "must not be a workspace below this one"),
        ("outer", "must not be the workspace itself"),
        ("nowhere", "must be a workspace within reach"),
        ("rival", "must be a workspace within reach"),
        ("acme-east", "must be a channel; others can hold no workspaces"),
        (None, "is required; only roots have none, and they are not made here"),
    ],
)
async def test_place_is_refused_with_field_and_rule(service: Api, database: Database, parent: str, rule: str) -> None:
    await put(service, "outer", type="channel")
    await put(service, "inner", type="channel", parentWorkspaceId="outer")
    before = await paths(database)

    assert faults(await put(service, "outer", type="channel", parentWorkspaceId=parent)) == [
        ("parentWorkspaceId", rule)
    ]
    if parent is not None:
        assert faults(await move(service, "outer", parent)) == [("parentWorkspaceId", rule)]
    assert await paths(database) == before


async def test_body_is_refused_with_all_its_faults(service: Api) -> None:
    answer = await put(service, "shop", type="shop", displayName=" ", status=None, colour="red")

    assert [field for field, _ in faults(answer)] == ["type", "displayName", "status", "colour"]
    missing = await service.call("PUT", f"{WORKSPACES}/shop", json={})
    assert [field for field, _ in faults(missing)] == ["type", "displayName", "parentWorkspaceId", "status"]
    assert faults(await put(service, "a%00b"))[0][0] == "id"


async def test_channel_stays_one_while_it_holds_others(service: Api) -> None:
    await put(service, "outer", type="channel")
    await put(service, "shop", parentWorkspaceId="outer")

    refused = await put(service, "outer", type="child")

    assert faults(refused) == [("type", "must be channel while it holds other workspaces")]


async def test_tree_is_refused_when_it_would_be_too_deep(service: Api) -> None:
    parent = "acme"
    for level in range(31):
        assert (await put(service, f"l{level}", type="channel", parentWorkspaceId=parent)).status_code == 201
        parent = f"l{level}"

    assert faults(await put(service, "deeper", parentWorkspaceId=parent)) == [
        ("parentWorkspaceId", "must not lead to more than 32 levels")
    ]
    await put(service, "beside", type="channel")
    assert faults(await move(service, "l0", "beside"))[0][1] == "must not lead to more than 32 levels"


async def test_workspace_elsewhere_is_neither_read_nor_changed(service: Api, database: Database) -> None:
    assert (await put(service, "rival")).status_code == 403
    assert (await service.get(f"{WORKSPACES}/rival")).status_code == 404
    assert (await move(service, "rival", "acme")).status_code == 404
    assert (await service.call("PUT", f"{WORKSPACES}/rival/archive")).status_code == 404
    assert (await paths(database))["rival"] == ["rival"]


async def test_workspace_of_the_request_is_described_and_stays_in_its_place(service: Api) -> None:
    renamed = await put(service, "acme", type="channel", parentWorkspaceId=None, displayName="Acme again")

    assert renamed.json()["displayName"] == "Acme again"
    assert faults(await put(service, "acme", type="child", parentWorkspaceId=None))[0][0] == "type"
    await put(service, "outer", type="channel")
    assert faults(await put(service, "acme", type="channel", parentWorkspaceId="outer"))[0][0] == "parentWorkspaceId"


async def test_people_read_the_tree_and_do_not_write_it(api: Api, service: Api, database: Database) -> None:
    await insert_credential(database, client_id="viewer", role="viewer")
    await insert_credential(database, client_id="chief", role="super_admin")
    await service.get(WORKSPACES)
    for client in ("viewer", "chief"):
        await api.sign_in(client)
        assert (await api.get(WORKSPACES)).status_code == 200
        assert (await api.get(f"{WORKSPACES}/acme-east")).status_code == 200
        refused = [
            await put(api, "shop"),
            await move(api, "acme-east", "acme"),
            await api.call("PUT", f"{WORKSPACES}/acme-east/archive"),
            await api.call("POST", f"{WORKSPACES}/sync", content=b"", headers={"Content-Type": "application/x-ndjson"}),
        ]
        assert {answer.status_code for answer in refused} == {403}


async def test_list_shows_the_callers_tree_by_page_level_and_search(service: Api) -> None:
    await put(service, "outer", type="channel", displayName="Outer 100%")
    await put(service, "shop", parentWorkspaceId="outer", displayName="a shop")

    async def listed(**query: Any) -> list[str]:
        answer = await service.get(WORKSPACES, params=query)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert await listed() == ["shop", "outer", "acme", "acme-east"]
    assert await listed(parent="acme", sort="-id") == ["outer", "acme-east"]
    assert await listed(search="SHOP") == ["shop"]
    assert await listed(search="100%") == ["outer"]
    assert await listed(search="%") == ["outer"]
    assert await listed(type="channel", sort="id") == ["acme", "outer"]
    assert await listed(status="trial") == []
    second = (await service.get(WORKSPACES, params={"page": 1, "pageSize": 3})).json()
    assert ([item["id"] for item in second["items"]], second["totalElements"]) == (["acme-east"], 4)
    for query in ({"search": "a\x00"}, {"parent": "a\x00"}, {"sort": "colour"}, {"pageSize": 101}):
        assert (await service.get(WORKSPACES, params=query)).status_code == 400


async def test_archived_workspace_delivers_nothing_and_is_out_of_reach_until_it_is_active_again(
    api: Api, service: Api, database: Database
) -> None:
    webhook = await api.elsewhere("acme-east").create()
    refused = await service.call("PUT", f"{WORKSPACES}/acme-east/archive")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:coro:problem:wrong-workspace-state")

    await put(service, "acme-east", status="inactive")
    archived = await service.call("PUT", f"{WORKSPACES}/acme-east/archive")
    again = await service.call("PUT", f"{WORKSPACES}/acme-east/archive")

    assert archived.json()["archived"] is not None
    assert again.json() == archived.json()
    assert (await api.elsewhere("acme-east").get(WEBHOOKS)).status_code == 403
    async with database.read() as connection:
        row = await connection.row(select(webhooks.c.state, webhooks.c.disabled_reason))
    assert row is not None
    assert tuple(row) == ("disabled", "workspace archived")
    assert [action for action, _, _ in await activities(database, subject=webhook["id"])][-1] == "webhook.disabled"
    assert (await messages(database))[-1]["type"] == "webhook-disabled"
    assert "acme-east" not in [item["id"] for item in (await api.get(WORKSPACES)).json()["items"]]
    assert (await api.get(WORKSPACES, params={"archived": True})).json()["totalElements"] == 2

    await put(service, "acme-east", status="trial")
    (item,) = (await api.elsewhere("acme-east").get(WEBHOOKS)).json()["items"]
    assert item["status"] == "disabled"


async def test_archive_is_refused_while_there_are_others_below(service: Api) -> None:
    await put(service, "outer", type="channel", status="inactive")
    await put(service, "shop", parentWorkspaceId="outer", status="inactive")

    assert (await service.call("PUT", f"{WORKSPACES}/outer/archive")).status_code == 409
    assert (await service.call("PUT", f"{WORKSPACES}/shop/archive")).status_code == 200
    assert (await service.call("PUT", f"{WORKSPACES}/outer/archive")).status_code == 200
    assert faults(await put(service, "late", parentWorkspaceId="outer"))[0][1] == "must not be archived"


async def test_no_circle_comes_about_when_two_move_each_below_the_other_at_once(
    service: Api, database: Database
) -> None:
    for turn in range(10):
        left, right = f"left-{turn}", f"right-{turn}"
        for name in (left, right):
            await put(service, name, type="channel")
        answers = await asyncio.gather(move(service, left, right), move(service, right, left))
        assert sorted(answer.status_code for answer in answers) == [200, 400]
    assert await crooked(database) == []


async def test_placeholder_of_an_unknown_parent_becomes_a_workspace_when_it_is_put(
    service: Api, database: Database
) -> None:
    await insert_workspace(database, "later", status="unknown", display_name="later")
    await insert_workspace(database, "shop", parent="later")

    assert (await put(service, "later", type="channel")).status_code == 200
    assert (await paths(database))["shop"] == ["acme", "later", "shop"]
