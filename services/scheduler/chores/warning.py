"""The chore that puts on record, a week before a version expires, that the console warns of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from coro_events.rules.sunset import Notice
from coro_events.store.sunsets import take
from coro_events.store.telling import log_lines
from coro_events.store.unit import WriteConnection
from services.scheduler.chores.steps import ACTOR, Batch, Steps, lines
from services.scheduler.planned import Planned

_STEPS = (Notice.WARNING,)


class Warnings:
    """Satisfies `Chore`."""

    name = "warning"

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    async def run_once(self, now: datetime) -> Mapping[str, object]:
        """Put the warning on record for every webhook; no mail goes out for it."""
        return {"webhooks": await self._steps.take(_STEPS, now, _act)}

    async def preview(self, now: datetime) -> Sequence[Planned]:
        """Return which webhooks would be warned of."""
        return await self._steps.preview(_STEPS, now)


async def _act(connection: WriteConnection, batch: Batch) -> int:
    due = batch.of(Notice.WARNING)
    taken = await take(connection, Notice.WARNING, batch.version, [webhook.id for webhook in due], batch.now)
    told = [webhook for webhook in due if webhook.id in taken]
    await log_lines(connection, lines(told, "webhook.sunset_warned", batch.expires_at), actor=ACTOR, at=batch.now)
    return len(told)
