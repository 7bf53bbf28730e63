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
    """Takes in, claims, takes, ends, withdraws, reviews and closes in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.loop = asyncio.new_event_loop()
        self.lanes = Lanes(clock=self.clock, max_in_flight=TOTAL, max_in_flight_per_webhook=EACH, max_waiting=WAITING)
        self.targets = [make_target() for _ in range(5)]
        # First attempts and claimed ones of each.
        self.waiting = {(number, claimed): list[Delivery]() for number in range(5) for claimed in (False, True)}
        self.taken = list[Delivery]()
        self.closed = False
        self.unrecorded = 0

    def teardown(self) -> None:
        self.loop.close()

    @rule(wants=st.lists(st.integers(0, 12), min_size=5, max_size=5), is_planned=st.booleans())
    def take_in(self, wants: list[int], is_planned: bool) -> None:  # noqa: FBT001 - hypothesis passes it by name
        wanted = {target.webhook_id: want for target, want in zip(self.targets, wants, strict=True)}
        granted = self.lanes.grant(wanted)
        if not is_planned:
            self.lanes.forget_batch()
            return
        for number, target in enumerate(self.targets):
            assert 0 <= granted[target.webhook_id] <= wants[number]
            self._offer(number, granted[target.webhook_id], claimed=False)

    @rule(number=st.integers(0, 4), most=st.integers(0, 30), is_overtaken=st.booleans())
    def claim(self, number: int, most: int, is_overtaken: bool) -> None:  # noqa: FBT001 - hypothesis passes it by name
        own = self.targets[number].webhook_id
        count = min(self.lanes.reserve(most), self.lanes.room_for_claimed(own))
        if is_overtaken:
            self._offer(
                0, self.lanes.grant({self.targets[0].webhook_id: 30})[self.targets[0].webhook_id], claimed=False
            )
        self._offer(number, count, claimed=True)

    def _offer(self, number: int, count: int, *, claimed: bool) -> None:
        deliveries = [make_delivery(self.targets[number]) for _ in range(count)]
        left = self.lanes.offer(deliveries, claimed=claimed)
        assert left == []
        self.waiting[number, claimed] += deliveries

    @rule()
    def take(self) -> None:
        delivery = self.loop.run_until_complete(at_once(self.lanes.take()))
        if delivery is None:
            return
        assert not self.closed
        number = self.targets.index(delivery.target)
        queues = [queue for claimed in (False, True) if (queue := self.waiting[number, claimed])]
        assert any(queue[0] is delivery for queue in queues), "in order within each queue"
        next(queue for queue in queues if queue[0] is delivery).pop(0)
        self.taken.append(delivery)

    @rule(number=st.integers(0, 4))
    def withdraw(self, number: int) -> None:
        out = self.lanes.withdraw([self.targets[number].webhook_id])
        assert out == self.waiting[number, False] + self.waiting[number, True]
        self.waiting |= {(number, False): [], (number, True): []}

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
        self.waiting = {key: [] for key in self.waiting}
        self.closed = True

    @invariant()
    def counters_equal_what_is_there(self) -> None:
        lanes = list(self.lanes._lanes.values())
        assert self.lanes.unrecorded == self.unrecorded
        assert self.lanes.waiting == sum(lane.waiting for lane in lanes)
        assert self.lanes.waiting == sum(len(queue) for queue in self.waiting.values())
        claimed = sum(len(queue) for (_, claimed), queue in self.waiting.items() if claimed)
        assert self.lanes.waiting_claimed == claimed == sum(len(lane.claimed) for lane in lanes)
        assert self.lanes.in_flight == sum(lane.in_flight for lane in lanes) == len(self.taken)
        assert self.lanes.slow_in_flight == sum(lane.in_flight for lane in lanes if lane.slow)

    @invariant()
    def limits_hold(self) -> None:
        assert self.lanes.waiting <= WAITING
        assert self.lanes.waiting_claimed <= WAITING * 3 // 4
        assert self.lanes.waiting - self.lanes.waiting_claimed <= WAITING * 3 // 4
        assert self.lanes.in_flight <= self.lanes.most_in_flight
        assert all(lane.in_flight <= EACH for lane in self.lanes._lanes.values())

    @invariant()
    def no_lane_with_work_is_overlooked(self) -> None:
        for lane in self.lanes._lanes.values():
            if lane.waiting and lane.in_flight < self.lanes.limit(lane):
                assert (lane in self.lanes._ready) != (lane in self.lanes._slow_ready)
                assert (lane in self.lanes._slow_ready) == lane.slow


TestLanes = LanesMachine.TestCase
TestLanes.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
