"""The tree as `workspace-created` events grow it, in whatever order they come."""

import asyncio
import itertools
from datetime import timedelta

import pytest

from coro_events.contract.envelope import Event
from coro_events.contract.triggers import Trigger
from tests.integration.dispatcher.room import Room, count_updated, created
from tests.support.clock import START
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
    assert tuple(row) == ("child", "Workspace child", "trial", "msp")


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


def status_updated(workspace_id: str, status: str, minutes: int = 0) -> Event:
    """Make the event of a workspace that got another status, so many minutes after the start."""
    data = f'{{"status":"{status}"}}'.encode()
    return count_updated(workspace_id, data=data, occurred_at=START + timedelta(minutes=minutes))


async def status(room: Room, workspace_id: str) -> str:
    (row,) = await room.all("select status from workspaces where id = :id", id=workspace_id)
    return str(row.status)


async def test_status_is_that_of_the_latest_event_when_several_are_in_a_batch(room: Room) -> None:
    await room.plan(created("msp"), status_updated("msp", "subscription", 2), status_updated("msp", "trial", 1))
    assert await status(room, "msp") == "subscription"


async def test_status_stays_when_an_older_event_comes_late(room: Room) -> None:
    await room.plan(created("msp"), status_updated("msp", "trial", 1))
    await room.plan(status_updated("msp", "inactive", 3))
    await room.plan(status_updated("msp", "subscription", 2))
    assert await status(room, "msp") == "inactive"


async def test_placeholder_stays_one_when_its_status_is_told_before_its_creation(room: Room) -> None:
    await room.plan(created("child", "later"), status_updated("later", "trial"), status_updated("nobody", "trial"))
    assert await status(room, "later") == "unknown"
    await room.plan(created("later", "msp"))
    assert (await room.paths())["child"] == ["msp", "later", "child"]


async def test_archived_workspace_comes_back_when_its_status_says_that_it_is_active(room: Room) -> None:
    await insert_workspace(room.database, "msp", status="inactive", archived_at=START)
    await room.plan(status_updated("msp", "inactive", 1))
    (row,) = await room.all("select archived_at from workspaces")
    assert row.archived_at == START
    await room.plan(status_updated("msp", "subscription", 2))
    (row,) = await room.all("select archived_at from workspaces")
    assert row.archived_at is None


async def test_planners_do_not_wait_in_a_circle_when_they_write_the_same_statuses_in_other_orders(room: Room) -> None:
    await room.plan(created("msp"), *(created(f"child-{number}", "msp") for number in range(20)))
    planners = [room, Room(room.database, room.vault, room.clock)]
    for minutes in range(10):
        events = [status_updated(f"child-{number}", "trial", minutes) for number in range(20)]
        again = [status_updated(f"child-{number}", "trial", minutes) for number in reversed(range(20))]
        more = [created(f"new-{minutes}", "msp")]
        await asyncio.gather(planners[0].plan(*events), planners[1].plan(*again), room.plan(*more, *again[:3]))
