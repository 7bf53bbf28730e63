"""The tree as `workspace-created` events grow it, in whatever order they come."""

import itertools

import pytest

from coro_events.contract.triggers import Trigger
from tests.integration.dispatcher.room import Room, count_updated, created
from tests.support.makers import insert_webhook, insert_workspace

ALL = [Trigger.WORKSPACE_CREATED.value, Trigger.WORKSPACE_STATUS_UPDATED.value]


async def test_new_workspace_is_there_before_its_events_are_matched(room: Room) -> None:
    await insert_workspace(room.database, "msp")
    hook = await insert_webhook(
        room.database, room.vault, workspace_id="msp", apply_to_all_descendants=True, triggers=ALL
    )
    deliveries = await room.plan(created("child", "msp"), count_updated("child"), created("grandchild", "child"))
    assert [delivery.happening.workspace_id for delivery in deliveries] == ["child", "child", "grandchild"]
    assert {delivery.target.webhook_id for delivery in deliveries} == {hook.id}
    assert (await room.paths())["grandchild"] == ["msp", "child", "grandchild"]
    (row,) = await room.all("select type, display_name, status, parent_id from workspaces where id = 'child'")
    assert tuple(row) == ("child", "Workspace child", "new", "msp")


async def test_unknown_parent_gets_a_placeholder_that_its_own_event_completes(room: Room) -> None:
    await room.plan(created("child", "later"))
    assert await room.paths() == {"later": ["later"], "child": ["later", "child"]}
    await room.plan(created("msp"), created("later", "msp"))
    assert await room.paths() == {
        "msp": ["msp"],
        "later": ["msp", "later"],
        "child": ["msp", "later", "child"],
    }
    (row,) = await room.all("select status, display_name, type, parent_id from workspaces where id = 'later'")
    assert tuple(row) == ("new", "Workspace later", "child", "msp")


FAMILY = (("msp", None), ("regional", "msp"), ("client", "regional"), ("site", "client"))


@pytest.mark.parametrize(
    "order", list(itertools.permutations(FAMILY))[::3], ids=lambda order: "-".join(o[0] for o in order)
)
async def test_tree_is_the_same_whatever_the_order_of_the_events(
    room: Room, order: tuple[tuple[str, str | None], ...]
) -> None:
    for name, parent in order:
        await room.plan(created(name, parent))
    whole = ["msp", "regional", "client", "site"]
    assert await room.paths() == {name: whole[: place + 1] for place, name in enumerate(whole)}
    parents = {row.id: row.parent_id for row in await room.all("select id, parent_id from workspaces")}
    assert parents == dict(FAMILY)


async def test_webhook_of_an_ancestor_gets_events_after_the_tree_was_completed(room: Room) -> None:
    await insert_workspace(room.database, "msp")
    await insert_webhook(room.database, room.vault, workspace_id="msp", apply_to_all_descendants=True, triggers=ALL)
    await room.plan(created("client", "regional"))
    assert await room.plan(count_updated("client")) == []
    await room.plan(created("regional", "msp"))
    assert len(await room.plan(count_updated("client"))) == 1


async def test_workspace_stays_as_it_is_when_it_is_announced_again(room: Room) -> None:
    await room.plan(created("msp"), created("other"), created("child", "msp"))
    await room.plan(created("child", "other", display_name="Renamed"))
    (row,) = await room.all("select path, display_name from workspaces where id = 'child'")
    assert (row.path, row.display_name) == (["msp", "child"], "Workspace child")


async def test_cycle_is_refused(room: Room) -> None:
    await room.plan(created("a", "b"))
    await room.plan(created("b", "a"))
    assert await room.paths() == {"b": ["b"], "a": ["b", "a"]}
    assert [row.id for row in await room.all("select id from workspaces where parent_id is null")] == ["b"]


async def test_long_cycle_is_refused_within_one_batch(room: Room) -> None:
    await room.plan(created("a", "c"), created("b", "a"), created("c", "b"))
    assert await room.paths() == {"c": ["c"], "a": ["c", "a"], "b": ["c", "a", "b"]}
