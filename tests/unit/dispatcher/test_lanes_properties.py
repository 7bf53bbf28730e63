"""Whatever happens to the lanes, their counters tell the truth and their limits hold."""

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.dispatcher.deliver.lanes import Lanes
from services.dispatcher.match.delivery import Delivery
from tests.support.clock import FakeClock
from tests.support.dispatching import make_delivery, make_target
from tests.unit.dispatcher.test_lanes import at_once

TOTAL, EACH, WAITING = 6, 3, 20
DURATIONS_S = (0.0, 0.001, 0.3, 0.9, 1.1, 5.0, 40.0)


class LanesMachine(RuleBasedStateMachine):
    """Offers, takes, ends, reviews and closes in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.loop = asyncio.new_event_loop()
        self.lanes = Lanes(clock=self.clock, max_in_flight=TOTAL, max_in_flight_per_webhook=EACH, max_waiting=WAITING)
        self.targets = [make_target() for _ in range(5)]
        self.waiting = {number: list[Delivery]() for number in range(5)}
        self.taken = list[Delivery]()
        self.closed = False
        self.unrecorded = 0

    def teardown(self) -> None:
        self.loop.close()

    @rule(number=st.integers(0, 4), count=st.integers(1, 6))
    def offer(self, number: int, count: int) -> None:
        room = self.lanes.room(self.targets[number].webhook_id)
        deliveries = [make_delivery(self.targets[number]) for _ in range(min(count, room))]
        assert self.lanes.offer(deliveries) == []
        self.waiting[number] += deliveries

    @rule()
    def take(self) -> None:
        delivery = self.loop.run_until_complete(at_once(self.lanes.take()))
        if delivery is None:
            return
        assert not self.closed
        number = self.targets.index(delivery.target)
        assert self.waiting[number].pop(0) is delivery
        self.taken.append(delivery)

    @precondition(lambda self: self.taken)
    @rule(place=st.integers(0, 100), sent=st.booleans())
    def done(self, place: int, sent: bool) -> None:  # noqa: FBT001 - hypothesis passes it by name
        self.lanes.done(self.taken.pop(place % len(self.taken)), sent=sent)
        self.unrecorded += sent

    @precondition(lambda self: self.unrecorded)
    @rule(count=st.integers(1, 5))
    def recorded(self, count: int) -> None:
        count = min(count, self.unrecorded)
        self.lanes.recorded(count)
        self.unrecorded -= count

    @rule(duration_s=st.sampled_from(DURATIONS_S))
    def wait(self, duration_s: float) -> None:
        self.loop.run_until_complete(self.clock.advance(duration_s))

    @rule()
    def review(self) -> None:
        self.lanes.review()

    @precondition(lambda self: len(self.taken) > 2)
    @rule()
    def close(self) -> None:
        left = self.lanes.close()
        assert sorted(one.hook_id for one in left) == sorted(
            one.hook_id for queue in self.waiting.values() for one in queue
        )
        self.waiting = {number: [] for number in range(5)}
        self.closed = True

    @invariant()
    def counters_equal_what_is_there(self) -> None:
        lanes = list(self.lanes._lanes.values())
        assert self.lanes.unrecorded == self.unrecorded
        assert self.lanes.waiting == sum(len(lane.queue) for lane in lanes)
        assert self.lanes.waiting == sum(len(queue) for queue in self.waiting.values())
        assert self.lanes.in_flight == sum(lane.in_flight for lane in lanes) == len(self.taken)
        assert self.lanes.slow_in_flight == sum(lane.in_flight for lane in lanes if lane.slow)

    @invariant()
    def limits_hold(self) -> None:
        assert self.lanes.waiting <= WAITING
        assert self.lanes.in_flight <= self.lanes.most_in_flight
        assert all(lane.in_flight <= EACH for lane in self.lanes._lanes.values())

    @invariant()
    def no_lane_with_work_is_overlooked(self) -> None:
        for lane in self.lanes._lanes.values():
            if lane.queue and lane.in_flight < self.lanes.limit(lane):
                assert (lane in self.lanes._ready) != (lane in self.lanes._slow_ready)
                assert (lane in self.lanes._slow_ready) == lane.slow


TestLanes = LanesMachine.TestCase
TestLanes.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
