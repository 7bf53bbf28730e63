"""Thousands of webhooks become due at once, many batches of them; what a hundred thousand take `make bench` tells."""

from datetime import datetime

from coro_events.store.engine import make_engine
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.scheduler.chores.expiry import Expiry
from services.scheduler.chores.first_notice import FirstNotice
from services.scheduler.chores.reminder import Reminder
from services.scheduler.chores.steps import Steps
from services.scheduler.chores.warning import Warnings
from services.scheduler.mail.writing import Writing
from services.scheduler.rounds import Chore
from tests.support.multitude import insert_multitude
from tests.support.sunset import END, RELEASE, REMINDER, WARNING, release_version_2, rows

MSPS = 4


async def test_each_step_takes_every_webhook_once_however_many_batches_they_are(
    database_url: str, vault: Vault
) -> None:
    database = Database(make_engine(database_url, application_name="coro-tests", pool_size=2))
    total, mails = await insert_multitude(database, vault, msps=MSPS)
    await release_version_2(database)
    steps, writing = Steps(database, batch_webhooks=300), Writing(database, console_url="https://console.example.com")

    async def take(chore: Chore, now: datetime, **expected: int) -> None:
        assert await chore.run_once(now) == expected
        assert await chore.run_once(now) == dict.fromkeys(expected, 0)

    await take(FirstNotice(steps, writing), RELEASE, webhooks=total, mails=mails)
    await take(Reminder(steps, writing, vault), REMINDER, drafts=total, mails=mails)
    await take(Warnings(steps), WARNING, webhooks=total)
    await take(Expiry(steps, writing), END, webhooks=total, mails=mails)
    assert await rows(database, "select count(*) from outbox") == [(2 * total,)]
    await database.dispose()
