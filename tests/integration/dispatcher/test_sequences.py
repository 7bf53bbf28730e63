"""Every new event has the next number of its workspace, and none is left out, whoever plans it and however it goes."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from coro_events.contract.envelope import Event
from coro_events.contract.triggers import Trigger
from services.dispatcher.intake.batch import TestRequest
from services.dispatcher.match.plan import Plan
from tests.contract.dispatcher.worlds import forget_everything
from tests.integration.dispatcher.replaying import make_replaying
from tests.integration.dispatcher.room import Room, count_updated
from tests.support.clock import START
from tests.support.dispatching import at_most, decoded_of
from tests.support.makers import insert_webhook, insert_workspace
from tests.support.waiting import wait_until

STATUS = Trigger.WORKSPACE_STATUS_UPDATED.value
WORKSPACES = ("acme", "bolt", "crux")


class BreakdownError(Exception):
    """What a test lets happen in the middle of planning."""


@pytest.fixture(autouse=True)
async def _workspaces(room: Room) -> None:
    await insert_workspace(room.database, "acme")


async def numbers(room: Room) -> dict[str, list[int]]:
    """Return the numbers of each workspace's events, in their order."""
    found: dict[str, list[int]] = defaultdict(list)
    for row in await room.all("select workspace_id, sequence from events where type <> 'test' order by sequence"):
        found[row.workspace_id].append(row.sequence)
    return found


async def number_of(room: Room, event: Event) -> int | None:
    (row,) = await room.all("select sequence from events where id = :id", id=event.id)
    number: int | None = row.sequence
    return number


async def plan_and_break(room: Room, *events: Event) -> None:
    """Plan events, and break down after they are stored."""

    def broken(_: Mapping[uuid.UUID, int]) -> Mapping[uuid.UUID, int]:
        raise BreakdownError

    with pytest.raises(BreakdownError):
        await room.planner.plan(decoded_of(*events), broken)


def gapless(count: int) -> list[int]:
    return list(range(1, count + 1))


async def test_numbers_go_on_from_batch_to_batch_in_the_order_of_arrival(room: Room) -> None:
    await insert_workspace(room.database, "bolt")
    events = [count_updated(WORKSPACES[index % 2], occurred_at=START - timedelta(hours=index)) for index in range(10)]
    await room.plan(*events[:7])
    await room.plan(*events[7:])
    assert [await number_of(room, event) for event in events] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


async def test_repeated_event_takes_no_number(room: Room) -> None:
    event, other = count_updated("acme", source_id="1"), count_updated("acme")
    await room.plan(event)
    await room.plan(count_updated("acme", source_id="1"), other)
    await room.plan(count_updated("acme", source_id="1"))
    assert (await number_of(room, event), await number_of(room, other)) == (1, 2)
    assert [row.last for row in await room.all("select last from sequences")] == [2]


async def test_test_takes_no_number(room: Room) -> None:
    hook = await insert_webhook(room.database, room.vault, version=2)
    request = TestRequest(webhook_id=hook.id, test_id=uuid.uuid4(), workspace_id="acme", requested_at=START)
    (delivery,) = (await room.planner.plan(decoded_of(tests=[request]), at_most(1_000))).claimed
    assert delivery.happening.place is not None
    assert delivery.happening.place.sequence is None
    assert await room.all("select 1 from sequences") == []


async def test_numbers_are_given_back_when_the_transaction_fails(room: Room) -> None:
    await insert_webhook(room.database, room.vault, triggers=[STATUS])
    await room.plan(count_updated("acme"))
    await plan_and_break(room, count_updated("acme"), count_updated("acme"))
    await room.plan(count_updated("acme"))
    assert await numbers(room) == {"acme": [1, 2]}


async def test_event_of_an_unknown_workspace_is_numbered_and_gets_its_place_when_it_is_replayed(room: Room) -> None:
    early = count_updated("late")
    await room.plan(early)
    await insert_workspace(room.database, "late", "acme", display_name="Late Ltd")
    await room.plan(count_updated("late"))
    replaying = await make_replaying(room, version=2)
    await replaying.ask("missed")
    await replaying.run()
    places = {one.happening.event_id: one.happening.place for one in await replaying.claim()}
    place = places[early.id]
    assert place is not None
    assert (place.sequence, place.display_name, place.path) == (1, "Late Ltd", ("acme", "late"))
    assert await numbers(room) == {"late": [1, 2]}


async def test_no_number_is_left_out_when_two_planners_store_the_same_events_at_once(room: Room) -> None:
    await insert_webhook(room.database, room.vault, triggers=[STATUS])
    events = [count_updated("acme") for _ in range(30)]
    planners = [room.another_planner() for _ in range(3)]
    plans = await asyncio.gather(
        planners[0].plan(decoded_of(*events[:20]), at_most(1_000)),
        planners[1].plan(decoded_of(*events[10:]), at_most(1_000)),
        planners[2].plan(decoded_of(*events), at_most(1_000)),
    )
    assert sum(len(plan.claimed) for plan in plans) == 30
    assert await numbers(room) == {"acme": gapless(30)}


async def test_numbers_are_taken_in_the_order_of_workspaces_so_that_planners_never_wait_in_a_circle(room: Room) -> None:
    names = [f"w{index:02}" for index in range(30)]
    await room.plan(*(count_updated(name) for name in names))
    held = "select 1 from sequences where workspace_id = 'w00' for update"
    free = text("select workspace_id from sequences where workspace_id > 'w00' for update skip locked")

    async def waits() -> bool:
        return bool(await room.all("select 1 from pg_locks where not granted"))

    async with room.database.write() as other:
        await other.execute(text(held))
        planning = asyncio.create_task(
            room.planner.plan(decoded_of(*(count_updated(name) for name in names[::-1])), at_most(1_000))
        )
        await wait_until(waits, what="the planner to wait for the first workspace")
        # Whoever waits for the first holds none of the others yet.
        assert len(await other.rows(free)) == len(names) - 1
    await planning
    assert await numbers(room) == {name: gapless(2) for name in names}


async def test_counting_does_not_wait_when_the_tree_is_being_changed(room: Room) -> None:
    async with room.database.write() as other:
        await other.execute(text("update workspaces set display_name = 'Changing'"))
        async with asyncio.timeout(5):
            await room.planner.plan(decoded_of(count_updated("acme")), at_most(1_000))
    assert await numbers(room) == {"acme": [1]}


# Batches of events, told apart by a small number so that repeats come up, and whether planning one breaks down.
BATCHES = st.lists(
    st.tuples(st.lists(st.tuples(st.sampled_from(WORKSPACES), st.integers(0, 12)), max_size=8), st.booleans()),
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES, at_once=st.integers(1, 3))
async def test_numbers_have_no_gaps_and_no_doubles_whatever_comes_and_breaks(
    room: Room, batches: list[tuple[list[tuple[str, int]], bool]], at_once: int
) -> None:
    await forget_everything(room.database)
    # One workspace is known, the others are not announced yet.
    await insert_workspace(room.database, "acme")
    await insert_webhook(room.database, room.vault, triggers=[STATUS])
    planners = [room.another_planner() for _ in range(at_once)]

    async def plan(index: int, named: list[tuple[str, int]], *, breaks: bool) -> Plan | None:
        events = [count_updated(name, source_id=f"{name}-{number}") for name, number in named]

        def room_or_breakdown(wanted: Mapping[uuid.UUID, int]) -> Mapping[uuid.UUID, int]:
            if breaks:
                raise BreakdownError
            return wanted

        try:
            return await planners[index % at_once].plan(decoded_of(*events), room_or_breakdown)
        except BreakdownError:
            return None

    for start in range(0, len(batches), at_once):
        some = batches[start : start + at_once]
        await asyncio.gather(*(plan(index, named, breaks=breaks) for index, (named, breaks) in enumerate(some)))
    found = await numbers(room)
    assert found == {name: gapless(len(each)) for name, each in found.items()}
    last = {row.workspace_id: row.last for row in await room.all("select * from sequences")}
    assert last == {name: len(each) for name, each in found.items()}
    stored = {row.source_id for row in await room.all("select source_id from events")}
    expected = {f"{name}-{number}" for named, breaks in batches if not breaks for name, number in named}
    assert expected <= stored
