"""A draft takes over while events come in: none is lost, none is sent twice, each in the format of its webhook."""

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING

from services.dispatcher.deliver.request import make_request
from tests.integration.dispatcher.room import Room, count_updated, roomy
from tests.integration.dispatcher.versions import Versions, make_versions
from tests.support.clock import START
from tests.support.dispatching import at_most, decoded_of
from tests.support.makers import insert_workspace
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from services.dispatcher.match.delivery import Delivery

SWITCHES = 6


class Traffic:
    """Two replicas that plan events until they are told to stop."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._planners = [room.another_planner() for _ in range(2)]
        self.stopping = False
        self.planned: list[Delivery] = []
        self.events = 0

    async def flow(self, number: int) -> None:
        """Plan batch after batch; a third finds no room and is claimed later, perhaps after a switch."""
        while not self.stopping:
            batch = [count_updated("acme") for _ in range(10)]
            plan = await self._planners[number].plan(decoded_of(*batch), at_most(7))
            self.planned.extend(plan.claimed)
            self.events += len(batch)

    async def go_on(self) -> None:
        """Wait until some more events are planned."""
        count = self.events + 30

        async def reached() -> bool:
            return self.events > count

        await wait_until(reached, what="more events to be planned")

    async def claim_the_rest(self) -> None:
        """Claim all that found no room."""
        while claimed := await self._room.due.claim(roomy, 1_000):
            self.planned.extend(claimed)


async def switch(versions: Versions, traffic: Traffic) -> None:
    """Publish the draft and take it back some times, and leave it published."""
    for _ in range(SWITCHES):
        await traffic.go_on()
        await versions.publish()
        await traffic.go_on()
        await versions.switch_back()
    await versions.publish()
    await traffic.go_on()
    traffic.stopping = True


async def test_every_event_goes_out_once_in_one_format_when_drafts_are_published_under_traffic(room: Room) -> None:
    await insert_workspace(room.database, "acme")
    versions, traffic = await make_versions(room), Traffic(room)
    await asyncio.gather(traffic.flow(0), traffic.flow(1), switch(versions, traffic))
    await traffic.claim_the_rest()
    assert await room.stopped.hold_back(1_000) == 0

    sent = Counter(one.happening.event_id for one in traffic.planned)
    assert len(sent) == traffic.events, "none is lost"
    assert set(sent.values()) == {1}, "none is sent twice"
    formats: Counter[int] = Counter()
    for one in traffic.planned:
        version = json.loads(make_request(one, START).body).get("version", 1)
        assert one.target.webhook_id == (versions.draft if version == 2 else versions.original)
        formats[version] += 1
    assert min(formats[1], formats[2]) > SWITCHES * 30, "both had their time"
