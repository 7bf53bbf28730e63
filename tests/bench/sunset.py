"""A hundred thousand webhooks become due at once: what each step of the sunset takes."""

import time

from sqlalchemy import text

from services.scheduler.chores.expiry import Expiry
from services.scheduler.chores.first_notice import FirstNotice
from services.scheduler.chores.reminder import Reminder
from services.scheduler.chores.steps import Steps
from services.scheduler.chores.warning import Warnings
from services.scheduler.mail.writing import Writing
from services.scheduler.settings import SchedulerSettings
from tests.bench.figures import Figure
from tests.support.makers import make_vault
from tests.support.multitude import insert_multitude
from tests.support.stand import Stand
from tests.support.sunset import END, RELEASE, REMINDER, WARNING, release_version_2

SCENARIO = "sunset of 100,000 webhooks"
MSPS = 100
REACH_S = 120.0


async def sunset(stand: Stand) -> list[Figure]:
    """Run each chore once as at its time, with the writing of mails and without sending them."""
    database, vault = stand.database, make_vault()
    await insert_multitude(database, vault, msps=MSPS)
    async with database.autocommit() as connection:
        await connection.execute(text("analyze"))
    await release_version_2(database)
    batch: int = SchedulerSettings.model_fields["scheduler_batch_webhooks"].default
    steps, writing = Steps(database, batch_webhooks=batch), Writing(database, console_url="https://console.example.com")
    figures = []
    for name, chore, now in (
        ("first notice", FirstNotice(steps, writing), RELEASE),
        ("reminder, with a draft of each", Reminder(steps, writing, vault), REMINDER),
        ("warning, without mail", Warnings(steps), WARNING),
        ("end", Expiry(steps, writing), END),
    ):
        for what in (name, f"{name}, nothing left"):
            begun = time.perf_counter()
            await chore.run_once(now)
            took_s = time.perf_counter() - begun
            figures.append(Figure(SCENARIO, what, took_s, "s", None, f"≤ {REACH_S:g}", took_s <= REACH_S))
    return figures
