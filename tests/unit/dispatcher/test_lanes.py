"""Lanes: who may send when, and that one slow receiver costs itself alone."""

import asyncio
import uuid
from collections.abc import Awaitable
from dataclasses import replace

import pytest

from services.dispatcher.deliver.lane import SLOW_S
from services.dispatcher.deliver.lanes import Lanes
from services.dispatcher.match.delivery import Delivery, Target
from tests.support.clock import FakeClock
from tests.support.dispatching import make_delivery, make_target
from tests.support.waiting import let_others_run


def make_lanes(clock: FakeClock, *, total: int = 8, each: int = 4, waiting: int = 100) -> Lanes:
    return Lanes(clock=clock, max_in_flight=total, max_in_flight_per_webhook=each, max_waiting=waiting)


def some(target: Target, count: int) -> list[Delivery]:
    return [make_delivery(target) for _ in range(count)]


async def at_once(taking: Awaitable[Delivery | None]) -> Delivery | None:
    """Return what can be taken without waiting; none where nothing can."""
    task = asyncio.ensure_future(taking)
    await let_others_run()
    if task.done():
        return task.result()
    task.cancel()
    return None


async def take_all(lanes: Lanes) -> list[Delivery]:
    taken = []
    while (delivery := await at_once(lanes.take())) is not None:
        taken.append(delivery)
    return taken


async def teach(lanes: Lanes, clock: FakeClock, target: Target, *, duration_s: float, times: int = 1) -> None:
    """Let a lane have attempts of this duration, one after the other."""
    for _ in range(times):
        lanes.offer([make_delivery(target)])
        delivery = await at_once(lanes.take())
        assert delivery is not None
        assert delivery.target is target
        await clock.advance(duration_s)
        lanes.done(delivery, sent=True)
        lanes.recorded(1)


async def test_deliveries_of_a_webhook_come_in_order(clock: FakeClock) -> None:
    lanes = make_lanes(clock)
    deliveries = some(make_target(), 4)
    assert lanes.offer(deliveries) == []
    assert await take_all(lanes) == deliveries


async def test_webhook_has_no_more_in_flight_than_its_limit(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=8, each=3)
    lanes.offer(some(make_target(), 10))
    taken = await take_all(lanes)
    assert len(taken) == 3
    lanes.done(taken[0], sent=True)
    lanes.recorded(1)
    assert len(await take_all(lanes)) == 1
    assert (lanes.in_flight, lanes.waiting) == (3, 6)
    assert lanes.lanes_at_limit() == 1


async def test_senders_wait_when_twice_what_may_be_in_flight_is_not_recorded(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=3, each=3)
    lanes.offer(some(make_target(), 20))
    for _ in range(2):
        taken = await take_all(lanes)
        assert len(taken) == 3
        for delivery in taken:
            lanes.done(delivery, sent=True)
    assert await take_all(lanes) == []
    lanes.recorded(2)
    assert len(await take_all(lanes)) == 2


async def test_attempt_that_was_not_sent_needs_no_record(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=3, each=3)
    lanes.offer(some(make_target(), 10))
    for delivery in await take_all(lanes):
        lanes.done(delivery, sent=False)
    assert len(await take_all(lanes)) == 3


async def test_process_has_no_more_in_flight_than_its_limit(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=5, each=4)
    for _ in range(4):
        lanes.offer(some(make_target(), 4))
    taken = await take_all(lanes)
    assert len(taken) == 5
    lanes.done(taken[0], sent=True)
    lanes.recorded(1)
    assert len(await take_all(lanes)) == 1


async def test_lanes_take_turns_when_one_has_far_more_work(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=9, each=9)
    big, small, other = make_target(), make_target(), make_target()
    lanes.offer(some(big, 50))
    lanes.offer(some(small, 3))
    lanes.offer(some(other, 3))
    order = [delivery.target.webhook_id for delivery in await take_all(lanes)]
    assert order == [big.webhook_id, small.webhook_id, other.webhook_id] * 3


async def test_first_attempts_and_claimed_ones_of_a_webhook_take_turns(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=9, each=9)
    target = make_target()
    new, claimed = some(target, 4), some(target, 3)
    lanes.offer(claimed, claimed=True)
    lanes.offer(new)
    taken = await take_all(lanes)
    assert [taken.index(one) for one in new] == [0, 2, 4, 6], "none waits for the whole of the others"
    assert [taken.index(one) for one in claimed] == [1, 3, 5]
    assert (lanes.waiting, lanes.waiting_claimed) == (0, 0)


async def test_waiting_taker_gets_the_next_delivery(clock: FakeClock) -> None:
    lanes = make_lanes(clock)
    takers = [asyncio.create_task(lanes.take()) for _ in range(2)]
    await let_others_run()
    deliveries = some(make_target(), 2)
    lanes.offer(deliveries)
    assert await asyncio.gather(*takers) == deliveries


async def test_taker_that_gave_up_takes_nothing_from_others(clock: FakeClock) -> None:
    lanes = make_lanes(clock)
    first, second = (asyncio.create_task(lanes.take()) for _ in range(2))
    await let_others_run()
    first.cancel()
    await let_others_run()
    (delivery,) = some(make_target(), 1)
    lanes.offer([delivery])
    assert await second is delivery


async def test_slow_lane_gets_fewer_permits_and_a_shorter_queue(clock: FakeClock) -> None:
    lanes = make_lanes(clock, each=4, waiting=1_000)
    target = make_target()
    await teach(lanes, clock, target, duration_s=10)
    assert lanes.grant({target.webhook_id: 1_000}) == {target.webhook_id: 1}
    assert lanes.room_for_claimed(target.webhook_id) == 1
    lanes.offer(some(target, 4))
    assert len(await take_all(lanes)) == 1
    assert lanes.slow_in_flight == 1


async def test_slow_lanes_take_no_permit_of_healthy_ones(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=8, each=8)
    slow = [make_target() for _ in range(12)]
    for target in slow:
        await teach(lanes, clock, target, duration_s=10)
    for target in slow:
        lanes.offer(some(target, 2))
    taken = await take_all(lanes)
    assert len(taken) == lanes.slow_in_flight == 4, "half of the permits at most, however many are slow"
    lanes.offer(some(make_target(), 20))
    assert len(await take_all(lanes)) == 8, "and all of the permits are there for a healthy one"
    assert lanes.in_flight == 12 <= lanes.most_in_flight


async def test_hanging_lane_is_noticed_before_its_attempts_end(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=4, each=4)
    hanging = make_target()
    lanes.offer(some(hanging, 10))
    hung = await take_all(lanes)
    assert len(hung) == 4
    healthy = some(make_target(), 4)
    lanes.offer(healthy)
    assert await take_all(lanes) == []
    await clock.advance(SLOW_S + 0.1)
    lanes.review()
    assert await take_all(lanes) == healthy
    for delivery in hung:
        lanes.done(delivery, sent=True)
        lanes.recorded(1)
    assert lanes.slow_in_flight == 0


async def test_takers_are_woken_when_a_review_frees_their_permits(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=2, each=2)
    lanes.offer(some(make_target(), 2))
    await take_all(lanes)
    takers = [asyncio.create_task(lanes.take()) for _ in range(2)]
    healthy = some(make_target(), 2)
    lanes.offer(healthy)
    await let_others_run()
    assert not any(taker.done() for taker in takers)
    await clock.advance(SLOW_S + 0.1)
    lanes.review()
    assert await asyncio.gather(*takers) == healthy


async def test_lane_recovers_when_its_receiver_does(clock: FakeClock) -> None:
    lanes = make_lanes(clock, each=4)
    target = make_target()
    await teach(lanes, clock, target, duration_s=10)
    await teach(lanes, clock, target, duration_s=0.01, times=20)
    lanes.offer(some(target, 4))
    assert len(await take_all(lanes)) == 4
    assert lanes.slow_in_flight == 0


async def test_attempt_that_was_not_sent_teaches_nothing(clock: FakeClock) -> None:
    lanes = make_lanes(clock, each=4)
    target = make_target()
    lanes.offer(some(target, 5))
    delivery = await at_once(lanes.take())
    assert delivery is not None
    await clock.advance(60)
    lanes.done(delivery, sent=False)
    assert len(await take_all(lanes)) == 4
    assert lanes.slow_in_flight == 0


async def test_process_is_busy_only_when_fast_receivers_have_work_waiting(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=16, each=16, waiting=100)
    fast, slow = make_target(), make_target()
    await teach(lanes, clock, fast, duration_s=0.005, times=3)
    await teach(lanes, clock, slow, duration_s=10)
    lanes.offer(some(slow, 60))
    assert not lanes.busy(), "a slow receiver never holds intake back"
    lanes.offer(some(fast, 15))
    lanes.offer(some(fast, 14), claimed=True)
    assert not lanes.busy()
    lanes.offer(some(fast, 1))
    assert lanes.busy()


async def test_waiting_for_room_ends_when_enough_was_taken(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=200, each=200, waiting=100)
    target = make_target()
    await teach(lanes, clock, target, duration_s=0.005, times=3)
    lanes.offer(some(target, 60))
    waiter = asyncio.create_task(lanes.until_roomy(60))
    for _ in range(30):
        await lanes.take()
        await let_others_run()
    assert not waiter.done()
    await lanes.take()
    await waiter
    assert not lanes.busy()


async def test_waiting_for_room_ends_at_its_limit(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=200, each=200, waiting=100)
    target = make_target()
    await teach(lanes, clock, target, duration_s=0.005, times=3)
    lanes.offer(some(target, 100))
    await lanes.until_roomy(0.01)
    assert lanes.busy()


async def test_waiting_for_room_ends_when_the_lanes_close(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=200, each=200, waiting=100)
    target = make_target()
    await teach(lanes, clock, target, duration_s=0.005, times=3)
    lanes.offer(some(target, 100))
    waiter = asyncio.create_task(lanes.until_roomy(60))
    await let_others_run()
    lanes.close()
    await waiter


async def test_closing_returns_what_waits_and_ends_all_takers(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=2, each=2)
    deliveries = some(make_target(), 5)
    lanes.offer(deliveries)
    taken = await take_all(lanes)
    takers = [asyncio.create_task(lanes.take()) for _ in range(3)]
    await let_others_run()
    assert lanes.close() == deliveries[2:]
    assert await asyncio.gather(*takers) == [None] * 3
    assert await lanes.take() is None
    late = some(make_target(), 1)
    assert lanes.offer(late) == late
    own = late[0].target.webhook_id
    assert (lanes.grant({own: 1}), lanes.reserve(1), lanes.room_for_claimed(own)) == ({own: 0}, 0, 0)
    for delivery in taken:
        lanes.done(delivery, sent=True)
        lanes.recorded(1)
    assert (lanes.in_flight, lanes.slow_in_flight, lanes.waiting) == (0, 0, 0)


@pytest.mark.parametrize("duration_s", [0.01, 60.0])
async def test_attempts_end_in_peace_when_the_lanes_are_closed(clock: FakeClock, duration_s: float) -> None:
    lanes = make_lanes(clock, total=3, each=2)
    lanes.offer([*some(make_target(), 2), *some(make_target(), 2)])
    taken = await take_all(lanes)
    assert len(lanes.close()) == 1, "one lane has work left and a permit of its own"
    await clock.advance(duration_s)
    lanes.review()
    for delivery in taken:
        lanes.done(delivery, sent=True)
        lanes.recorded(1)
    assert (lanes.in_flight, lanes.slow_in_flight, lanes.waiting) == (0, 0, 0)


async def test_idle_lanes_are_forgotten_when_there_are_very_many(clock: FakeClock) -> None:
    lanes = Lanes(clock=clock, max_in_flight=10**6, max_in_flight_per_webhook=1, max_waiting=10**6)
    lanes.offer(make_delivery() for _ in range(10_500))
    assert lanes.lanes == 10_500, "a lane with work is never forgotten"
    for _ in range(10_500):
        delivery = await lanes.take()
        assert delivery is not None
        lanes.done(delivery, sent=False)
    lanes.offer([make_delivery()])
    assert lanes.lanes == 10_000


async def test_attempt_takes_over_the_claim_when_its_delivery_is_claimed_again(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=4, each=4)
    delivery, other = some(make_target(), 2)
    lanes.offer([delivery])
    assert await take_all(lanes) == [delivery]
    again = replace(delivery, claim=uuid.uuid4(), leased_until=5_000.0)
    assert lanes.offer([again, other], claimed=True) == []
    assert await take_all(lanes) == [other], "it is not sent a second time while the first is under way"
    assert (delivery.claim, delivery.leased_until) == (again.claim, 5_000.0), "its outcome is recorded all the same"


async def test_lanes_go_on_when_a_delivery_is_under_way_twice(clock: FakeClock) -> None:
    lanes = make_lanes(clock, total=4, each=4)
    delivery = make_delivery()
    lanes.offer([delivery])
    lanes.offer([replace(delivery, claim=uuid.uuid4())], claimed=True)
    twice = await take_all(lanes)
    for one in twice:
        lanes.done(one, sent=True)
        lanes.recorded(1)
    assert [one.hook_id for one in twice] == [delivery.hook_id] * 2
    assert (lanes.in_flight, lanes.waiting) == (0, 0)
