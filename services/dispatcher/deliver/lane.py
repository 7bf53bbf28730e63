"""One webhook's place in the sender: what waits for it, what is under way, and how fast its receiver is."""

from collections import deque
from uuid import UUID

from services.dispatcher.match.delivery import Delivery

# Presumed of a webhook that nothing is known of, in seconds: a common round trip.
PRESUMED_S = 0.1

# An average attempt longer than this makes a lane slow: few receivers that work take a second.
SLOW_S = 1.0


class Lane:
    """One webhook's two queues and its attempts under way."""

    __slots__ = ("average_s", "claimed", "claimed_is_next", "known", "listed", "new", "started", "webhook_id")

    def __init__(self, webhook_id: UUID) -> None:
        self.webhook_id = webhook_id
        # First attempts, as intake hands them over.
        self.new: deque[Delivery] = deque()
        # What was claimed in the database: retries, what found no room, what a dead replica left.
        self.claimed: deque[Delivery] = deque()
        # The two take turns, so that neither waits for the whole of the other.
        self.claimed_is_next = False
        # What is under way and since when, on the monotonic clock; the oldest first. By identity and not by hook id:
        # after a pause longer than its lease a delivery may come a second time.
        self.started: dict[int, tuple[float, Delivery]] = {}
        self.average_s = PRESUMED_S
        # Whether an attempt has told us the pace.
        self.known = False
        # Whether it stands in a line of lanes that may send.
        self.listed = False

    @property
    def waiting(self) -> int:
        """How many deliveries wait for a permit."""
        return len(self.new) + len(self.claimed)

    @property
    def in_flight(self) -> int:
        """How many attempts are under way."""
        return len(self.started)

    @property
    def slow(self) -> bool:
        """Whether its receiver keeps a permit for long."""
        return self.average_s > SLOW_S

    def empty(self, *, manual_too: bool) -> list[Delivery]:
        """Take out what waits and return it; what a person asked for stays, unless that goes too."""
        out: list[Delivery] = []
        for queue in (self.new, self.claimed):
            kept = [] if manual_too else [delivery for delivery in queue if delivery.manual]
            out += queue if manual_too else [delivery for delivery in queue if not delivery.manual]
            queue.clear()
            queue.extend(kept)
        return out
