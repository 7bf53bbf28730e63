"""The chore that tells admins which of their webhooks were disabled, because deliveries failed for good."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from coro_events.store.failures import note, untold
from coro_events.store.mailing import MailKind, collect
from coro_events.store.unit import Database
from services.scheduler.mail.writing import Writing
from services.scheduler.planned import Planned

# What happened longer ago is nothing to write a mail about.
TOLD_FOR = timedelta(days=30)
_BATCH_LINES = 500


class Failures:
    """Satisfies `Chore`; the activity log is what it goes by, so the dispatcher knows nothing of mail."""

    name = "failures"

    def __init__(self, database: Database, writing: Writing) -> None:
        self._database = database
        self._writing = writing

    async def run_once(self, now: datetime) -> Mapping[str, object]:
        """Collect the webhooks that are still disabled, then write one mail a workspace."""
        webhooks, more = 0, True
        while more:
            async with self._database.write() as connection:
                found = await untold(connection, since=now - TOLD_FOR, limit=_BATCH_LINES)
                noted = await note(connection, found)
                news = {
                    one.webhook_id: None
                    for one in found
                    if one.is_news and one.activity_id in noted and one.webhook_id is not None
                }
                await collect(connection, MailKind.DISABLED, None, list(news), now)
            webhooks += len(news)
            more = len(found) == _BATCH_LINES
        return {"webhooks": webhooks, "mails": await self._writing.seal(MailKind.DISABLED, now)}

    async def preview(self, now: datetime) -> Sequence[Planned]:
        """Return which webhooks would be told of."""
        async with self._database.read() as connection:
            found = await untold(connection, since=now - TOLD_FOR, limit=_BATCH_LINES)
        return [
            Planned("tell of failure", str(one.webhook_id), one.workspace_id, f"{one.name}: {one.reason}")
            for one in found
            if one.is_news
        ]
