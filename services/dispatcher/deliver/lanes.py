"""Lanes: how much of one webhook may be in flight and wait in memory, so that one slow receiver costs itself alone.

A lane is made when a webhook's first delivery comes and forgotten when it is idle. It has permits (attempts in flight)
and a queue. Whoever hands over asks for room first; what finds no room stays in the database, unclaimed. A lane that
proves slow gets fewer permits and a shorter queue, and all slow lanes together at most half of the permits.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable
from uuid import UUID

from coro_events.runtime.clock import Clock
from services.dispatcher.match.delivery import Delivery

# Weight of the newest attempt in a lane's average duration.
_WEIGHT = 0.2

# Presumed of a webhook that nothing is known of, in seconds: a common round trip.
_PRESUMED_S = 0.1

# An average attempt longer than this makes a lane slow: few receivers that work take a second.
SLOW_S = 1.0

# How much work a lane may have waiting, in seconds of its own pace: well within a lease.
_HORIZON_S = 2.0

# A lane at this pace (deliveries a second) waits for us and not we for it; see `busy`.
_FAST_PER_S = 400.0

# Idle lanes that are remembered with their pace.
_REMEMBERED = 10_000


class Lane:
    """One webhook's place in the sender."""

    __slots__ = ("average_s", "known", "listed", "queue", "started", "webhook_id")

    def __init__(self, webhook_id: UUID) -> None:
        self.webhook_id = webhook_id
        self.queue: deque[Delivery] = deque()
        # Hook id to when its attempt began, on the monotonic clock; the oldest first.
        self.started: dict[UUID, float] = {}
        self.average_s = _PRESUMED_S
        # Whether an attempt has told us the pace.
        self.known = False
        # Whether it stands in a line of lanes that may send.
        self.listed = False

    @property
    def in_flight(self) -> int:
        """How many attempts are under way."""
        return len(self.started)

    @property
    def slow(self) -> bool:
        """Whether its receiver keeps a permit for long."""
        return self.average_s > SLOW_S


class Lanes:
    """All lanes of this process, and the order in which they send."""

    def __init__(self, *, clock: Clock, max_in_flight: int, max_in_flight_per_webhook: int, max_waiting: int) -> None:
        self._clock = clock
        self._max_in_flight = max_in_flight
        self._per_webhook = min(max_in_flight_per_webhook, max_in_flight)
        self._max_waiting = max_waiting
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

    def room(self, webhook_id: UUID) -> int:
        """Return how many more deliveries of a webhook may be handed over.

        As many as its pace works off soon, and never more than what is still free of the whole: a few busy lanes
        always leave room for others (a dynamic threshold, as in shared-memory switches).
        """
        if self._closed:
            return 0
        free = self._max_waiting - self.waiting
        lane = self._lanes.get(webhook_id)
        if lane is None:
            return max(0, min(free, int(self._per_webhook / _PRESUMED_S * _HORIZON_S)))
        allowed = max(self.limit(lane), int(self.pace(lane) * _HORIZON_S))
        return max(0, min(allowed - len(lane.queue), free))

    def room_for_new(self, webhook_id: UUID) -> int:
        """Return the room for first attempts: a quarter stays for what is claimed, so that retries get their turn."""
        return self.room(webhook_id) * 3 // 4

    @property
    def free(self) -> int:
        """How many more deliveries may wait in memory, over all lanes."""
        return max(0, self._max_waiting - self.waiting)

    def lanes_at_limit(self) -> int:
        """Return how many lanes have work waiting for one of their own permits."""
        return sum(1 for lane in self._lanes.values() if lane.queue and lane.in_flight >= self.limit(lane))

    @property
    def lanes(self) -> int:
        """How many lanes are known."""
        return len(self._lanes)

    def busy(self) -> bool:
        """Whether this process as a whole is at its limit: receivers that are fast have work waiting.

        Then taking in more would only move work to the database and back. Slow receivers never count: their work
        waits in the database and Kafka does not wait for them.
        """
        if self.waiting < self._max_waiting // 2:
            return False
        fast = sum(len(lane.queue) for lane in self._lanes.values() if lane.queue and self.pace(lane) >= _FAST_PER_S)
        return fast >= self._max_waiting // 2

    async def until_roomy(self, limit_s: float) -> None:
        """Wait until the process is below its limit again, but never longer than the limit."""
        if not self.busy():
            return
        self._roomy.clear()
        self._roomy_below = self.waiting - self._max_waiting // 4
        try:
            async with asyncio.timeout(limit_s):
                await self._roomy.wait()
        except TimeoutError:
            return

    def offer(self, deliveries: Iterable[Delivery]) -> list[Delivery]:
        """Put deliveries into their lanes; return those that came too late, because the lanes are closed."""
        if self._closed:
            return list(deliveries)
        for delivery in deliveries:
            key = delivery.target.webhook_id
            lane = self._lanes.get(key)
            if lane is None:
                lane = self._lanes[key] = Lane(key)
                self._forget_idle()
            self._lanes.move_to_end(key)
            lane.queue.append(delivery)
            self.waiting += 1
            if self._list(lane):
                self._wake()
        return []

    def _forget_idle(self) -> None:
        """Drop the lanes that were idle longest, so that memory follows the work and not the number of webhooks."""
        for _ in range(max(0, len(self._lanes) - _REMEMBERED)):
            key, lane = next(iter(self._lanes.items()))
            if lane.queue or lane.in_flight:
                self._lanes.move_to_end(key)
            else:
                del self._lanes[key]

    def _list(self, lane: Lane) -> bool:
        """Put a lane in line if it may send; return whether it was put there now."""
        if lane.listed or not lane.queue or lane.in_flight >= self.limit(lane):
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
        # What is not recorded yet would be sent again after a crash, just as what is in flight would.
        if self._ready and fast_in_flight + self.unrecorded < self._max_in_flight:
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
        delivery = lane.queue.popleft()
        lane.listed = False
        lane.started[delivery.hook_id] = self._clock.monotonic()
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
        duration_s = self._clock.monotonic() - lane.started.pop(delivery.hook_id)
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
                age_s = now - next(iter(lane.started.values()))
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

    def close(self) -> list[Delivery]:
        """Hand out nothing more; return what was waiting, to be released."""
        self._closed = True
        left = [delivery for lane in self._lanes.values() for delivery in lane.queue]
        for lane in self._lanes.values():
            lane.queue.clear()
            lane.listed = False
        self.waiting = 0
        self._ready.clear()
        self._slow_ready.clear()
        self._roomy.set()
        self._wake(len(self._takers))
        return left
