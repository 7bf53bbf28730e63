"""How much waits in memory: bounded for each webhook and over all, and never all for one of them or for one kind."""

import uuid
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.deliver.lanes import Lanes
from services.dispatcher.deliver.room import divide, room
from tests.support.clock import FakeClock
from tests.support.dispatching import make_delivery, make_target
from tests.unit.dispatcher.test_lanes import make_lanes, some, take_all, teach

# Of the whole of 1,000, in the tests below: three quarters for each kind, and four fifths of that for one webhook.
WAITING, QUOTA, LANE = 1_000, 750, 600


async def fast_lanes(lanes: Lanes, clock: FakeClock, count: int) -> list[UUID]:
    """Return webhooks whose receivers could each have far more waiting than there is memory."""
    targets = [make_target() for _ in range(count)]
    for target in targets:
        await teach(lanes, clock, target, duration_s=0.001, times=3)
    return [target.webhook_id for target in targets]


def fill(lanes: Lanes, webhook_id: UUID, *, claimed: bool) -> int:
    """Hand over all that there is room for; return how many."""
    room = lanes.room_for_claimed(webhook_id) if claimed else lanes.grant({webhook_id: 10**6})[webhook_id]
    lanes.offer(some(make_target(webhook_id=webhook_id), room), claimed=claimed)
    return room


def test_new_lane_takes_what_a_common_receiver_works_off_soon(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=64, each=4, waiting=10_000)
    unknown = uuid.uuid4()
    assert lanes.grant({unknown: 5_000}) == {unknown: 60}
    assert lanes.room_for_claimed(unknown) == 60


async def test_room_shrinks_with_what_waits_and_comes_back(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=8, each=4, waiting=10)
    target = make_target()
    assert lanes.free == 8
    lanes.offer(some(target, 8))
    assert lanes.free == 0
    assert lanes.grant({target.webhook_id: 5}) == {target.webhook_id: 0}
    other = uuid.uuid4()
    assert lanes.grant({other: 5}) == {other: 0}, "the whole is bounded, not each lane alone"
    await take_all(lanes)
    assert lanes.free == 4


async def test_fast_lane_leaves_room_for_others(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=64, each=64, waiting=WAITING)
    held = [fill(lanes, one, claimed=False) for one in await fast_lanes(lanes, clock, 4)]
    assert held[0] == LANE, "one alone has enough for batches of hundreds"
    assert all(0 < later < earlier for earlier, later in pairwise(held))
    assert lanes.free > 0


@pytest.mark.parametrize("first", [False, True], ids=["new", "claimed"])
async def test_quarter_of_the_whole_stays_for_the_other_kind(clock: FakeClock, first: bool) -> None:  # noqa: FBT001 - of pytest
    lanes = make_lanes(clock, total=64, each=64, waiting=WAITING)
    *crowd, newcomer = await fast_lanes(lanes, clock, 51)
    for one in crowd:
        fill(lanes, one, claimed=first)
    assert QUOTA - 10 <= lanes.waiting <= QUOTA
    assert fill(lanes, newcomer, claimed=not first) >= 190


@pytest.mark.parametrize("first", [False, True], ids=["new", "claimed"])
async def test_one_kind_leaves_room_for_the_other_in_the_lane_of_a_webhook(clock: FakeClock, first: bool) -> None:  # noqa: FBT001 - of pytest
    lanes = make_lanes(clock, total=64, each=64, waiting=WAITING)
    (fast,), slow = await fast_lanes(lanes, clock, 1), make_target()
    await teach(lanes, clock, slow, duration_s=60)
    assert [fill(lanes, fast, claimed=kind) for kind in (first, not first)] == [LANE, 320]
    assert [fill(lanes, slow.webhook_id, claimed=kind) for kind in (first, not first)] == [1, 1]


@pytest.mark.parametrize(("webhooks", "records"), [(1, 500), (2, 337), (10, 67)])
async def test_batch_fits_whole_when_the_process_is_barely_at_its_limit(
    clock: FakeClock, webhooks: int, records: int
) -> None:
    lanes = make_lanes(clock, total=256, each=16, waiting=2_000)
    fast = await fast_lanes(lanes, clock, webhooks)
    while not lanes.busy():
        lanes.offer(make_delivery(make_target(webhook_id=one)) for one in fast)
    lanes.reserve(400)
    wanted = dict.fromkeys(fast, records)
    assert lanes.grant(wanted) == wanted, "what was read goes nowhere but into memory, also while a claim is under way"


def test_all_webhooks_of_a_batch_share_what_is_free(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=64, each=64, waiting=WAITING)
    wanted = {uuid.uuid4(): 500 for _ in range(100)}
    granted = lanes.grant(wanted)
    assert sum(granted.values()) <= QUOTA
    assert set(granted.values()) == {7, 8}, "the same for each, not all for the first"


def test_claim_leaves_alone_what_is_promised_to_a_batch(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=64, each=64, waiting=WAITING)
    granted = lanes.grant({uuid.uuid4(): 500 for _ in range(100)})
    assert lanes.reserve(400) == WAITING - sum(granted.values()) < 400
    lanes.offer([])
    assert lanes.reserve(400) == 400, "until it is offered"
    lanes.grant({uuid.uuid4(): 500 for _ in range(100)})
    lanes.forget_batch()
    assert lanes.reserve(800) == QUOTA, "or given up"


def test_batch_leaves_alone_what_is_promised_to_a_claim(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=64, each=64, waiting=WAITING)
    assert lanes.reserve(QUOTA) == QUOTA
    assert lanes.free == WAITING - QUOTA
    lanes.offer([], claimed=True)
    assert lanes.free == QUOTA


def test_asking_again_for_a_batch_takes_the_place_of_what_was_promised(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=64, each=64, waiting=WAITING)
    wanted = {uuid.uuid4(): 500 for _ in range(100)}
    assert lanes.grant(wanted) == lanes.grant(wanted)


async def test_what_waits_is_taken_out_when_its_webhook_is_disabled(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=8, each=1)
    stopped, other = make_target(), make_target()
    new, claimed = some(stopped, 3), some(stopped, 2)
    asked_for = [make_delivery(stopped, manual=True) for _ in range(2)]
    healthy = some(other, 1)
    lanes.offer([*new, asked_for[0], *healthy])
    lanes.offer([*claimed, asked_for[1]], claimed=True)
    assert lanes.withdraw([stopped.webhook_id, uuid.uuid4()]) == new + claimed
    assert (lanes.waiting, lanes.waiting_claimed) == (3, 1)
    assert await take_all(lanes) == [asked_for[0], *healthy], "what a person asked for stays"
    assert lanes.withdraw([stopped.webhook_id], manual_too=True) == [asked_for[1]]
    assert lanes.waiting == 0


async def test_lane_sends_again_when_it_was_emptied(clock: FakeClock) -> None:
    lanes = make_lanes(clock)
    target = make_target()
    lanes.offer(some(target, 3))
    lanes.withdraw([target.webhook_id])
    assert await take_all(lanes) == []
    (later,) = some(target, 1)
    lanes.offer([later])
    assert await take_all(lanes) == [later]


@given(waiting=st.integers(0, 2_000), free=st.integers(0, 2_000), allowed=st.integers(1, 3_000))
def test_queue_takes_no_more_than_is_free_or_than_its_pace_allows(waiting: int, free: int, allowed: int) -> None:
    more = room(waiting=waiting, free=free, allowed=allowed)
    assert 0 <= more <= free
    assert more == 0 or waiting + more <= allowed
    assert more > 0 or free == 0 or waiting >= min(allowed, 4 * free), "a queue that holds little is never refused"


@given(wants=st.lists(st.integers(0, 500), max_size=50), free=st.integers(0, 2_000))
def test_division_is_even(wants: list[int], free: int) -> None:
    wanted = {UUID(int=number): want for number, want in enumerate(wants)}
    divided = divide(wanted, free)
    assert divided.keys() == wanted.keys()
    assert sum(divided.values()) <= free
    assert all(0 <= divided[key] <= want for key, want in wanted.items())
    cut = [divided[key] for key, want in wanted.items() if divided[key] < want]
    assert not cut or max(divided.values()) - min(cut) <= 1, "none gets more while another goes short"
