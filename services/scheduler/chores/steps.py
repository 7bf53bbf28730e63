"""Goes through the webhooks that have a step of the sunset before them, batch by batch, each in one transaction."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from coro_events.rules.sunset import Notice, due, may_be_due
from coro_events.store.sunsets import Candidate, VersionSunset, candidates, lock_candidates, version_sunsets
from coro_events.store.telling import Line
from coro_events.store.unit import Database, WriteConnection
from services.scheduler.planned import Planned

ACTOR = "system:scheduler"

# Before the first id of a uuid column.
_NOBODY = uuid.UUID(int=0)
_ALL_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Batch:
    """Webhooks of one version, with the steps that are due for each; webhooks without any are left out."""

    version: int
    expires_at: datetime
    now: datetime
    steps: Sequence[tuple[Candidate, tuple[Notice, ...]]]

    def of(self, step: Notice) -> list[Candidate]:
        """Return the webhooks for which a step is due."""
        return [webhook for webhook, steps in self.steps if step in steps]


Act = Callable[[WriteConnection, Batch], Awaitable[int]]


class Steps:
    """The webhooks of versions in their sunset."""

    def __init__(self, database: Database, *, batch_webhooks: int = _ALL_AT_ONCE) -> None:
        self._database = database
        self._batch_webhooks = batch_webhooks

    async def take(self, steps: Collection[Notice], now: datetime, act: Act) -> int:
        """Act on every webhook for which one of these steps is due; return the sum of what the acts return.

        Webhooks that somebody else is changing at this moment are left to the next run.

        Raises:
            StoreUnavailableError: The database is away; what was done so far stays, and the next run goes on.
        """
        done = 0
        for version in await self._versions(steps, now):
            after: uuid.UUID | None = _NOBODY
            while after is not None:
                async with self._database.write() as connection:
                    found = await lock_candidates(
                        connection, version.version, steps, after=after, limit=self._batch_webhooks
                    )
                    batch = _decided(version, found, steps, now)
                    done += await act(connection, batch) if batch.steps else 0
                after = found[-1].id if len(found) == self._batch_webhooks else None
        return done

    async def preview(self, steps: Collection[Notice], now: datetime) -> list[Planned]:
        """Return the steps that `take` would take."""
        return [
            Planned(step.value, str(webhook.id), webhook.workspace_id, f"{webhook.name}, version {webhook.version}")
            async for batch in self._batches(steps, now)
            for webhook, due_steps in batch.steps
            for step in due_steps
        ]

    async def _batches(self, steps: Collection[Notice], now: datetime) -> AsyncIterator[Batch]:
        for version in await self._versions(steps, now):
            after: uuid.UUID | None = _NOBODY
            while after is not None:
                async with self._database.read() as connection:
                    found = await candidates(
                        connection, version.version, steps, after=after, limit=self._batch_webhooks
                    )
                yield _decided(version, found, steps, now)
                after = found[-1].id if len(found) == self._batch_webhooks else None

    async def _versions(self, steps: Collection[Notice], now: datetime) -> list[VersionSunset]:
        async with self._database.read() as connection:
            found = await version_sunsets(connection)
        return [version for version in found if not set(steps).isdisjoint(may_be_due(version.sunset, now))]


def lines(webhooks: Collection[Candidate], action: str, expires_at: datetime) -> list[Line]:
    """Return what the activity log says of a step."""
    return [
        Line(
            workspace_id=webhook.workspace_id,
            action=action,
            subject=str(webhook.id),
            detail={"name": webhook.name, "version": webhook.version, "expires": expires_at.isoformat()},
        )
        for webhook in webhooks
    ]


def _decided(version: VersionSunset, found: Sequence[Candidate], steps: Collection[Notice], now: datetime) -> Batch:
    decided = []
    for webhook in found:
        due_steps = due(
            version.sunset, webhook.taken, now, has_draft=webhook.has_draft, is_replaced=webhook.is_replaced
        )
        mine = tuple(step for step in due_steps if step in steps)
        if mine:
            decided.append((webhook, mine))
    return Batch(version.version, version.sunset.expires_at, now, decided)
