"""Lanes: how much of one webhook may be in flight and wait in memory, so that one slow receiver costs itself alone.

A lane is made when a webhook's first delivery comes and forgotten when it is idle. It has permits (attempts in flight)
and two queues, for first attempts and for what is claimed. Whoever hands over asks for room first; what finds no room
stays in the database, unclaimed. A lane that proves slow gets fewer permits and shorter queues, and all slow lanes
together at most half of the permits.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from uuid import UUID

from coro_events.runtime.clock import Clock
from services.dispatcher.deliver.lane import PRESUMED_S, SLOW_S, Lane
from services.dispatcher.deliver.room import divide, quota, room
from services.dispatcher.match.delivery import Delivery

# Weight of the newest attempt in a lane's average duration.
_WEIGHT = 0.2

# How much work a queue may hold, in seconds of its lane's pace: well within a lease.
_HORIZON_S = 1.5

# A lane at this pace (deliveries a second) waits for us and not we for it; see `busy`.
_FAST_PER_S = 400.0

# Idle lanes that are remembered with their pace.
_REMEMBERED = 10_000


class Lanes:
    """All lanes of this process, and the order in which they send."""

    def __init__(self, *, clock: Clock, max_in_flight: int, max_in_flight_per_webhook: int, max_waiting: int) -> None:
        self._clock = clock
        self._max_in_flight = max_in_flight
        self._per_webhook = min(max_in_flight_per_webhook, max_in_flight)
        self._max_waiting = max_waiting
        self._quota = quota(max_waiting)
        # Waiting deliveries of fast receivers from which on the process is at its limit: few enough that a lane still
        # takes a whole batch, and enough to send while one is planned.
        self._busy_from = max(1, max_waiting * 3 // 10)
        # Places that are promised to a batch being planned and to a claim under way.
        self._promised_new = 0
        self._promised_claimed = 0
        self._lanes: OrderedDict[UUID, Lane] = OrderedDict()
        self._ready: deque[Lane] = deque()
        self._slow_ready: deque[Lane] = deque()
        self._takers: deque[asyncio.Future[None]] = deque()
        self._roomy = asyncio.Event()
        self._roomy_below = 0
        self._closed = False
        self.in_flight = 0
        self.slow_in_flight = 0
        self.waiting = 0
        # As many of those are claimed ones.
        self.waiting_claimed = 0
        # Attempts that are over and not recorded yet.
        self.unrecorded = 0

    @property
    def most_in_flight(self) -> int:
        """The most attempts that can ever be under way: the healthy ones' permits and as many of slow lanes."""
        return 2 * self._max_in_flight

    def limit(self, lane: Lane) -> int:
        """Return how many attempts of a lane may be under way: fewer the longer its average takes, at least one."""
        if not lane.slow:
            return self._per_webhook
        return max(1, int(self._per_webhook * SLOW_S / lane.average_s / 2))

    def pace(self, lane: Lane) -> float:
        """Return how many deliveries a second a lane can carry."""
        return self.limit(lane) / max(lane.average_s, 1e-4)

    @property
    def free(self) -> int:
        """How many more first attempts may wait in memory, over all lanes."""
        waiting_new = self.waiting - self.waiting_claimed
        free = self._max_waiting - self.waiting - self._promised_claimed
        return 0 if self._closed else max(0, min(free, self._quota - waiting_new))

    @property
    def free_claimed(self) -> int:
        """How many more claimed deliveries may wait in memory, over all lanes."""
        free = self._max_waiting - self.waiting - self._promised_new
        return 0 if self._closed else max(0, min(free, self._quota - self.waiting_claimed))

    def _allowed(self, lane: Lane | None) -> int:
        """Return how many a queue of a lane may hold: what the lane works off soon."""
        if lane is None:
            return max(1, int(self._per_webhook / PRESUMED_S * _HORIZON_S))
        return max(self.limit(lane), int(self.pace(lane) * _HORIZON_S))

    def grant(self, wanted: Mapping[UUID, int]) -> Mapping[UUID, int]:
        """Return how many first attempts of each webhook may be handed over, of those that are wanted.

        They are promised until they are offered, or until the next batch asks: all webhooks of a batch share what is
        free, each as much as another, however many they are.
        """
        free = self.free
        rooms = {}
        for webhook_id, want in wanted.items():
            lane = self._lanes.get(webhook_id)
            waiting = len(lane.new) if lane else 0
            rooms[webhook_id] = min(want, room(waiting=waiting, free=free, allowed=self._allowed(lane)))
        granted = divide(rooms, free)
        self._promised_new = sum(granted.values())
        return granted

    def reserve(self, most: int) -> int:
        """Return how many deliveries a claim may take, over all lanes; they are promised until it offers them."""
        self._promised_claimed = min(most, self.free_claimed)
        return self._promised_claimed

    def room_for_claimed(self, webhook_id: UUID) -> int:
        """Return how many claimed deliveries of a webhook may be handed over."""
        lane = self._lanes.get(webhook_id)
        waiting = len(lane.claimed) if lane else 0
        return room(waiting=waiting, free=self.free_claimed, allowed=self._allowed(lane))

    def forget_batch(self) -> None:
        """Take back what was promised to a batch that is not planned after all."""
        self._promised_new = 0

    def lanes_at_limit(self) -> int:
        """Return how many lanes have work waiting for one of their own permits."""
        return sum(1 for lane in self._lanes.values() if lane.waiting and lane.in_flight >= self.limit(lane))

    @property
    def lanes(self) -> int:
        """How many lanes are known."""
        return len(self._lanes)

    def busy(self) -> bool:
        """Whether this process as a whole is at its limit: receivers that are fast have work waiting.

        Then taking in more would only move work to the database and back. Slow receivers never count: their work
        waits in the database and Kafka does not wait for them.
        """
        return self._waiting_fast() >= self._busy_from

    def _waiting_fast(self) -> int:
        if self.waiting < self._busy_from:
            return 0
        return sum(lane.waiting for lane in self._lanes.values() if lane.waiting and self.pace(lane) >= _FAST_PER_S)

    async def until_roomy(self, limit_s: float) -> None:
        """Wait until the process is below its limit again, but never longer than the limit."""
        beyond = self._waiting_fast() - self._busy_from
        if beyond < 0:
            return
        self._roomy.clear()
        self._roomy_below = self.waiting - beyond - 1
        try:
            async with asyncio.timeout(limit_s):
                await self._roomy.wait()
        except TimeoutError:
            return

    def offer(self, deliveries: Iterable[Delivery], *, claimed: bool = False) -> list[Delivery]:
        """Put deliveries into their lanes; return those that came too late, because the lanes are closed.

        Args:
            deliveries: What was planned, or claimed; what was promised for it is used up.
            claimed: Whether they were claimed; else they are the first attempts of a batch.
        """
        if claimed:
            self._promised_claimed = 0
        else:
            self._promised_new = 0
        if self._closed:
            return list(deliveries)
        if claimed:
            deliveries = self._not_under_way(deliveries)
        for delivery in deliveries:
            key = delivery.target.webhook_id
            lane = self._lanes.get(key)
            if lane is None:
                lane = self._lanes[key] = Lane(key)
                self._forget_idle()
            self._lanes.move_to_end(key)
            if claimed:
                lane.claimed.append(delivery)
                self.waiting_claimed += 1
            else:
                lane.new.append(delivery)
            self.waiting += 1
            if self._list(lane):
                self._wake()
        return []

    def _not_under_way(self, claimed: Iterable[Delivery]) -> list[Delivery]:
        """Return what is claimed without those whose attempt is under way; that attempt takes over the new claim.

        A process that was stopped for longer than a lease finds its own deliveries due again. Sent once more they would
        come twice; left out, what comes of the attempt would be recorded under a claim that no longer holds.
        """
        claimed = list(claimed)
        lanes = [self._lanes.get(key) for key in {delivery.target.webhook_id for delivery in claimed}]
        under_way = {one.hook_id: one for lane in lanes if lane for _, one in lane.started.values()}
        others = []
        for delivery in claimed:
            old = under_way.get(delivery.hook_id)
            if old is None or old.attempts != delivery.attempts:
                others.append(delivery)
            else:
                old.claim, old.leased_until = delivery.claim, delivery.leased_until
        return others

    def _forget_idle(self) -> None:
        """Drop the lanes that were idle longest, so that memory follows the work and not the number of webhooks."""
        for _ in range(max(0, len(self._lanes) - _REMEMBERED)):
            key, lane = next(iter(self._lanes.items()))
            if lane.waiting or lane.in_flight:
                self._lanes.move_to_end(key)
            else:
                del self._lanes[key]

    def _list(self, lane: Lane) -> bool:
        """Put a lane in line if it may send; return whether it was put there now."""
        if lane.listed or not (lane.new or lane.claimed) or lane.in_flight >= self.limit(lane):
            return False
        lane.listed = True
        (self._slow_ready if lane.slow else self._ready).append(lane)
        return True

    def _wake(self, count: int = 1) -> None:
        """Wake so many takers; each that finds more for another wakes it."""
        while count > 0 and self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)
                count -= 1

    def _next_lane(self) -> Lane | None:
        """Return the lane whose turn it is: healthy ones first, slow ones within their own number."""
        fast_in_flight = self.in_flight - self.slow_in_flight
        # What is not recorded yet would be sent again after a crash, just as what is in flight would. It may be as much
        # once more, so that senders do not stand still while their outcomes are written.
        unrecorded = fast_in_flight + self.unrecorded
        if self._ready and fast_in_flight < self._max_in_flight and unrecorded < 2 * self._max_in_flight:
            return self._ready.popleft()
        if self._slow_ready and self.slow_in_flight < max(1, self._max_in_flight // 2):
            return self._slow_ready.popleft()
        return None

    async def take(self) -> Delivery | None:
        """Return the next delivery with a permit for it, the lanes taking turns; none when closed.

        Each one taken must be given back by `done`.
        """
        while not self._closed:
            lane = self._next_lane() if self.in_flight < self.most_in_flight else None
            if lane is not None:
                return self._take_from(lane)
            taker = asyncio.get_running_loop().create_future()
            self._takers.append(taker)
            await taker
        return None

    def _take_from(self, lane: Lane) -> Delivery:
        if lane.claimed and (lane.claimed_is_next or not lane.new):
            delivery = lane.claimed.popleft()
            lane.claimed_is_next = False
            self.waiting_claimed -= 1
        else:
            delivery = lane.new.popleft()
            lane.claimed_is_next = True
        lane.listed = False
        lane.started[id(delivery)] = (self._clock.monotonic(), delivery)
        self.in_flight += 1
        self.slow_in_flight += lane.slow
        self.waiting -= 1
        if self._list(lane):
            self._wake()
        if self.waiting <= self._roomy_below:
            self._roomy.set()
        return delivery

    def done(self, delivery: Delivery, *, sent: bool) -> None:
        """Give a permit back and come for the next delivery, with `take`.

        An attempt that was sent teaches the lane its pace, and counts as in flight until it is `recorded`.
        """
        lane = self._lanes[delivery.target.webhook_id]
        began, _ = lane.started.pop(id(delivery))
        duration_s = self._clock.monotonic() - began
        self.in_flight -= 1
        self.slow_in_flight -= lane.slow
        if sent:
            self.unrecorded += 1
            weight = _WEIGHT if lane.known else 1.0
            self._set_average(lane, lane.average_s + weight * (duration_s - lane.average_s))
            lane.known = True
        # Nobody is woken: whoever gives a permit back comes for the next delivery itself.
        self._list(lane)

    def recorded(self, count: int) -> None:
        """Tell that so many attempts that were sent are recorded."""
        self.unrecorded -= count
        self._wake(min(count, len(self._ready)))

    def review(self) -> None:
        """Notice the lanes whose attempts are still going on after long; call it a few times a second."""
        now = self._clock.monotonic()
        for lane in self._lanes.values():
            if lane.started and not lane.slow:
                began, _ = next(iter(lane.started.values()))
                age_s = now - began
                if age_s > SLOW_S:
                    lane.known = True
                    self._set_average(lane, age_s)
        self._wake(len(self._ready) + len(self._slow_ready))

    def _set_average(self, lane: Lane, average_s: float) -> None:
        """Change a lane's pace; one that becomes slow, or well again, changes sides with all it has in flight."""
        was_slow = lane.slow
        lane.average_s = average_s
        if lane.slow == was_slow:
            return
        self.slow_in_flight += lane.in_flight if lane.slow else -lane.in_flight
        if lane.listed:
            source, sink = (self._ready, self._slow_ready) if lane.slow else (self._slow_ready, self._ready)
            source.remove(lane)
            sink.append(lane)

    def withdraw(self, webhook_ids: Iterable[UUID], *, manual_too: bool = False) -> list[Delivery]:
        """Take out what waits for webhooks that get nothing any more; return it, to be released.

        Args:
            webhook_ids: The webhooks.
            manual_too: Whether what a person asked for goes too; a disabled webhook still gets it, a removed one not.
        """
        out: list[Delivery] = []
        for webhook_id in webhook_ids:
            lane = self._lanes.get(webhook_id)
            if lane is not None:
                out += self._empty(lane, manual_too=manual_too)
        if self.waiting <= self._roomy_below:
            self._roomy.set()
        return out

    def _empty(self, lane: Lane, *, manual_too: bool) -> list[Delivery]:
        self.waiting_claimed -= len(lane.claimed)
        out = lane.empty(manual_too=manual_too)
        self.waiting_claimed += len(lane.claimed)
        self.waiting -= len(out)
        if lane.listed and not lane.waiting:
            lane.listed = False
            (self._slow_ready if lane.slow else self._ready).remove(lane)
        return out

    def close(self) -> list[Delivery]:
        """Hand out nothing more; return what was waiting, to be released."""
        self._closed = True
        left = [delivery for lane in self._lanes.values() for delivery in self._empty(lane, manual_too=True)]
        self._roomy.set()
        self._wake(len(self._takers))
        return left
