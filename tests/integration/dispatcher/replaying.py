"""Replays over one replica's adapters: asked for, stepped through, and what became of the deliveries."""

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row

from coro_events.contract.envelope import Event
from coro_events.contract.triggers import Trigger
from coro_events.store.replaying import INCLUDES
from services.api.deliveries.ports import Counts, Replay, ReplayState
from services.api.deliveries.rules import is_manual
from services.api.deliveries.sql import SqlReplays as AskedReplays
from services.api.deliveries.sql import SqlRetries
from services.dispatcher.deliver.outcome import Outcome
from services.dispatcher.match.delivery import Delivery
from services.dispatcher.replay.ports import Step
from services.dispatcher.replay.sql import SqlReplays
from tests.integration.dispatcher.room import Room, count_updated, roomy
from tests.support.clock import START
from tests.support.dispatching import at_most, decoded_of, make_effect
from tests.support.makers import StoredWebhook, insert_webhook

STATUS = Trigger.WORKSPACE_STATUS_UPDATED.value
SINCE = START - timedelta(hours=1)
# More than any replay of a test takes.
MOST_STEPS = 100


@dataclass
class Replaying:
    """One webhook of `acme` that also wants what happens below it."""

    room: Room
    hook: StoredWebhook

    def __post_init__(self) -> None:
        self.replays = self.another()
        self._asked = AskedReplays(self.room.database)

    def another(self) -> SqlReplays:
        """Return the replays of another replica."""
        return SqlReplays(database=self.room.database, clock=self.room.clock)

    async def set_state(self, state: str) -> None:
        """Enable or disable the webhook."""
        await self.room.change("update webhooks set state = :state where id = :id", state=state, id=self.hook.id)

    async def miss(self, *events: Event) -> list[Event]:
        """Let events come while the webhook is disabled."""
        await self.set_state("disabled")
        await self.room.plan(*events)
        await self.set_state("enabled")
        return list(events)

    async def fail(self, count: int) -> list[Delivery]:
        """Let deliveries fail for good, then enable the webhook again."""
        claimed = await self.room.plan(*(count_updated("acme") for _ in range(count)))
        await self.fail_again(claimed)
        return claimed

    async def fail_again(self, claimed: list[Delivery]) -> None:
        """Record 410 for claimed deliveries, which ends them at once, and enable the webhook again."""
        await self.room.ledger.record([make_effect(delivery, Outcome.GONE, status=410) for delivery in claimed])
        await self.set_state("enabled")

    async def hold(self, count: int) -> None:
        """Let deliveries wait while the webhook is disabled and enabled again."""
        await self.room.planner.plan(decoded_of(*(count_updated("acme") for _ in range(count))), at_most(0))
        await self.set_state("disabled")
        assert await self.room.stopped.hold_back(1_000) == count
        await self.set_state("enabled")

    async def ask(self, *include: str, since: datetime = SINCE, rate_per_s: int = 200) -> UUID:
        """Ask for a replay with the API's own adapter; return its id."""
        wanted = include or INCLUDES
        counts = await self._count(since, wanted)
        replay = Replay(
            id=uuid.uuid4(),
            webhook_id=self.hook.id,
            workspace_id=self.hook.workspace_id,
            state=ReplayState.RUNNING,
            since=since,
            include=wanted,
            rate_per_s=rate_per_s,
            expected=counts.total,
            created_at=counts.until,
        )
        async with self._asked.change() as change:
            await change.insert(replay)
        return replay.id

    async def count(self, since: datetime = SINCE) -> tuple[int, int, int]:
        """Return how many missed, held and failed ones a dry run of the API counts."""
        counts = await self._count(since, INCLUDES)
        return counts.missed, counts.held, counts.failed

    async def _count(self, since: datetime, include: tuple[str, ...]) -> Counts:
        subject = await self._asked.subject(self.hook.workspace_id, self.hook.id)
        assert subject is not None
        return await self._asked.count(subject, since=since, include=include)

    async def retry(self, hook_id: UUID) -> None:
        """Ask for a retry by hand with the API's own rules and adapter."""
        async with SqlRetries(self.room.database).change() as change:
            subject = await change.subject(self.hook.workspace_id, self.hook.id)
            stopped = await change.stopped(self.hook.id, hook_id)
            assert subject is not None
            assert stopped is not None
            assert await change.make_due(stopped, manual=is_manual(subject.state, stopped))

    async def step(self, replica: SqlReplays | None = None) -> Step | None:
        """Let the waits of all replays pass and take one step."""
        await self.room.change("update replays set next_at = now()")
        return await (replica or self.replays).step()

    async def run(self, replica: SqlReplays | None = None) -> int:
        """Take steps until nothing is due; return how many deliveries were replayed."""
        replayed = 0
        for _ in range(MOST_STEPS):
            step = await self.step(replica)
            if step is None:
                return replayed
            replayed += step.replayed
        raise AssertionError(f"the replay did not end in {MOST_STEPS} steps")

    async def replay(self) -> Row[Any]:
        """Return the only replay, or the latest."""
        return (await self.room.all("select * from replays order by created_at desc limit 1"))[0]

    async def deliveries(self) -> list[Row[Any]]:
        """Return the webhook's deliveries."""
        return await self.room.all("select * from deliveries where webhook_id = :id", id=self.hook.id)

    async def states(self) -> Counter[str]:
        """Return how many of the webhook's deliveries are in each state."""
        return Counter(row.state for row in await self.deliveries())

    async def claim(self) -> list[Delivery]:
        """Claim all that is due."""
        return list(await self.room.due.claim(roomy, 1_000))


async def make_replaying(room: Room, **changes: Any) -> Replaying:
    """Make a webhook of `acme`, which must be there already."""
    values = {"triggers": [STATUS], "apply_to_all_descendants": True} | changes
    return Replaying(room, await insert_webhook(room.database, room.vault, **values))
