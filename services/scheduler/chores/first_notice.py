"""The chore that tells admins, once a version is released, when their webhooks of the one before expire."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from coro_events.rules.sunset import Notice
from coro_events.store.mailing import MailKind, collect
from coro_events.store.sunsets import take
from coro_events.store.telling import log_lines
from coro_events.store.unit import WriteConnection
from services.scheduler.chores.steps import ACTOR, Batch, Steps, lines
from services.scheduler.mail.writing import Writing
from services.scheduler.planned import Planned

_STEPS = (Notice.FIRST,)


class FirstNotice:
    """Satisfies `Chore`."""

    name = "first-notice"

    def __init__(self, steps: Steps, writing: Writing) -> None:
        self._steps = steps
        self._writing = writing

    async def run_once(self, now: datetime) -> Mapping[str, object]:
        """Put the notice on record for every webhook, then write one mail a workspace."""
        webhooks = await self._steps.take(_STEPS, now, _act)
        return {"webhooks": webhooks, "mails": await self._writing.seal(MailKind.FIRST, now)}

    async def preview(self, now: datetime) -> Sequence[Planned]:
        """Return which webhooks would be told of."""
        return await self._steps.preview(_STEPS, now)


async def _act(connection: WriteConnection, batch: Batch) -> int:
    due = batch.of(Notice.FIRST)
    taken = await take(connection, Notice.FIRST, batch.version, [webhook.id for webhook in due], batch.now)
    told = [webhook for webhook in due if webhook.id in taken]
    await log_lines(connection, lines(told, "webhook.sunset_announced", batch.expires_at), actor=ACTOR, at=batch.now)
    await collect(connection, MailKind.FIRST, batch.version, [webhook.id for webhook in told], batch.now)
    return len(told)
