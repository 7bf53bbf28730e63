"""Gives the open mails their words and recipients, once all of their webhooks are collected."""

from datetime import datetime

from coro_events.store import mailing
from coro_events.store.mailing import MailKind, Sealed
from coro_events.store.sunsets import newest_version
from coro_events.store.unit import Database, WriteConnection
from services.scheduler.mail.texts import write

# Mails written in one transaction.
_BATCH_MAILS = 200


class Writing:
    """Seals mails of one kind, a few at a time; what a crash leaves open is sealed by the next run."""

    def __init__(self, database: Database, *, console_url: str | None) -> None:
        self._database = database
        self._console_url = console_url

    async def seal(self, kind: MailKind, now: datetime) -> int:
        """Seal every open mail of a kind; return how many are on their way.

        Raises:
            StoreUnavailableError: The database is away; what was sealed so far stays.
        """
        written, more = 0, True
        while more:
            async with self._database.write() as connection:
                found, sealed = await self._seal_some(connection, kind, now)
            written += sealed
            more = found == _BATCH_MAILS
        return written

    async def _seal_some(self, connection: WriteConnection, kind: MailKind, now: datetime) -> tuple[int, int]:
        """Return how many open mails there were, and how many of them have something to tell and somebody to hear."""
        found = await mailing.lock_open(connection, kind, limit=_BATCH_MAILS)
        if not found:
            return 0, 0
        newest = await newest_version(connection, now)
        lists = await mailing.listings(connection, [mail.id for mail in found])
        audiences = await mailing.audiences(connection, [mail.workspace_id for mail in found])
        sealed = [
            Sealed(
                id=mail.id,
                words=write(mail, lists[mail.id], newest=newest, console_url=self._console_url),
                emails=audiences[mail.workspace_id],
            )
            for mail in found
            if mail.id in lists and mail.workspace_id in audiences
        ]
        kept = {mail.id for mail in sealed}
        await mailing.seal(connection, sealed, now)
        await mailing.discard(connection, [mail.id for mail in found if mail.id not in kept])
        return len(found), len(sealed)
