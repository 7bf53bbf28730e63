"""Mails from the database to a real SMTP server: each once, no faster than allowed, and again where it failed."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.scheduler.chores.first_notice import FirstNotice
from services.scheduler.chores.steps import Steps
from services.scheduler.mail.measures import MailMeasures
from services.scheduler.mail.sending import Sending
from services.scheduler.mail.servers import read_server
from services.scheduler.mail.smtp import SmtpMailer
from services.scheduler.mail.writing import Writing
from tests.support.clock import FakeClock
from tests.support.mail_server import MailServer
from tests.support.makers import insert_webhook, insert_workspace
from tests.support.sunset import RELEASE, insert_admin, release_version_2, rows

SENDER = "Coro Webhooks <webhooks@example.com>"
ADMINS = [f"admin{number}@acme.example.com" for number in range(5)]


class Post:
    """The chore, with a clock that moves by itself while it waits."""

    def __init__(self, database: Database, server: MailServer, **changes: Any) -> None:
        self.clock = FakeClock(RELEASE, auto_advance=True)
        self.registry = CollectorRegistry()
        mailer = SmtpMailer(
            read_server(server.url(), is_local=True), sender=SENDER, limit_s=5, tls=ssl.create_default_context()
        )
        values: dict[str, Any] = {
            "database": database,
            "mailer": mailer,
            "sender": SENDER,
            "clock": self.clock,
            "rate_per_s": 100,
            "span_s": 240,
            "stopping": asyncio.Event(),
            "measures": MailMeasures(self.registry),
        } | changes
        self.chore = Sending(**values)

    async def run(self, now: datetime = RELEASE) -> dict[str, object]:
        return dict(await self.chore.run_once(now))


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    server = MailServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def written(database: Database, vault: Vault) -> None:
    """One mail to five admins of a workspace."""
    await insert_workspace(database, "acme")
    for email in ADMINS:
        await insert_admin(database, "acme", email)
    await insert_webhook(database, vault, name="Billing")
    await release_version_2(database)
    await FirstNotice(Steps(database), Writing(database, console_url=None)).run_once(RELEASE)


async def recipients(database: Database) -> dict[str, tuple[str, int, str | None]]:
    found = await rows(database, "select email, state, attempts, error from mail_recipients")
    return {email: (state, attempts, error) for email, state, attempts, error in found}


@pytest.mark.usefixtures("written")
async def test_each_admin_gets_the_mail_once(database: Database, server: MailServer) -> None:
    post = Post(database, server)
    assert await post.run() == {"taken": 5, "deferred": 0, "refused": 0, "waiting": 0}
    assert await post.run() == {"taken": 0, "deferred": 0, "refused": 0, "waiting": 0}
    assert sorted(mail.to for mail in server.received) == ADMINS
    assert {mail.subject for mail in server.received} == {
        "Webhook version 1 expires on 2 September 2026 (Workspace acme)"
    }
    assert len({mail.message_id for mail in server.received}) == 5
    assert server.connections == 1
    assert set(await recipients(database)) == set(ADMINS)
    assert {one[0] for one in (await recipients(database)).values()} == {"sent"}


@pytest.mark.usefixtures("written")
async def test_mails_keep_the_distance_that_the_rate_asks_for(database: Database, server: MailServer) -> None:
    post = Post(database, server, rate_per_s=0.5)
    await post.run()
    assert post.clock.monotonic() - 1000 == pytest.approx(8, abs=0.1)


@pytest.mark.usefixtures("written")
async def test_run_ends_in_time_and_the_next_one_goes_on(database: Database, server: MailServer) -> None:
    post = Post(database, server, rate_per_s=1, span_s=2.5)
    assert (await post.run())["waiting"] == 1
    assert (await post.run(RELEASE + timedelta(seconds=4)))["waiting"] == 0
    assert sorted(mail.to for mail in server.received) == ADMINS


@pytest.mark.usefixtures("written")
async def test_nothing_more_is_sent_when_the_process_is_to_end(database: Database, server: MailServer) -> None:
    stopping = asyncio.Event()
    stopping.set()
    assert (await Post(database, server, stopping=stopping).run())["waiting"] == 5
    assert server.received == []


@pytest.mark.usefixtures("written")
async def test_one_refused_recipient_is_given_up_and_the_others_get_theirs(
    database: Database, server: MailServer
) -> None:
    server.replies[ADMINS[2]] = "550 No such user"
    post = Post(database, server)
    assert await post.run() == {"taken": 4, "deferred": 0, "refused": 1, "waiting": 0}
    assert (await recipients(database))[ADMINS[2]] == ("failed", 1, "550 No such user")
    assert (await post.run(RELEASE + timedelta(days=2)))["refused"] == 0
    name = "coro_scheduler_mails_total"
    assert post.registry.get_sample_value(name, {"outcome": "taken"}) == 4
    assert post.registry.get_sample_value(name, {"outcome": "refused"}) == 1


@pytest.mark.usefixtures("written")
async def test_deferred_mail_is_tried_again_later_and_nobody_else_gets_a_second_one(
    database: Database, server: MailServer
) -> None:
    server.replies[ADMINS[2]] = "451 Greylisted"
    post = Post(database, server)
    assert await post.run() == {"taken": 4, "deferred": 1, "refused": 0, "waiting": 1}
    assert (await recipients(database))[ADMINS[2]] == ("pending", 1, "451 Greylisted")
    assert (await post.run(RELEASE + timedelta(seconds=30)))["deferred"] == 0
    assert (await post.run(RELEASE + timedelta(seconds=90)))["deferred"] == 1
    server.replies.clear()
    assert (await post.run(RELEASE + timedelta(seconds=240)))["taken"] == 1
    assert sorted(mail.to for mail in server.received) == ADMINS


@pytest.mark.usefixtures("written")
async def test_deferred_mail_is_given_up_in_the_end(database: Database, server: MailServer) -> None:
    server.replies[ADMINS[2]] = "451 Greylisted"
    post = Post(database, server)
    for hours in range(0, 200, 5):
        await post.run(RELEASE + timedelta(hours=hours))
    assert (await recipients(database))[ADMINS[2]] == ("failed", 30, "451 Greylisted")


@pytest.mark.usefixtures("written")
async def test_mails_wait_when_the_server_is_away_and_go_out_when_it_is_back(
    database: Database, server: MailServer
) -> None:
    await server.stop()
    post = Post(database, server)
    assert (await post.run())["waiting"] == 5
    assert {one[:2] for one in (await recipients(database)).values()} == {("pending", 0)}
    await server.start()
    assert (await post.run(RELEASE + timedelta(seconds=30)))["taken"] == 0
    assert (await post.run(RELEASE + timedelta(seconds=90)))["taken"] == 5


@pytest.mark.usefixtures("written")
async def test_others_follow_at_once_when_the_server_breaks_off_in_the_middle_and_nobody_gets_two(
    database: Database, server: MailServer
) -> None:
    server.loses.add(3)
    post = Post(database, server)
    assert (await post.run())["taken"] == 4
    assert (await post.run(RELEASE + timedelta(seconds=90)))["taken"] == 1
    assert sorted(mail.to for mail in server.received) == ADMINS


@pytest.mark.usefixtures("written")
async def test_mail_comes_again_with_the_same_message_id_when_the_server_took_it_and_never_said_so(
    database: Database, server: MailServer
) -> None:
    server.swallows.add(3)
    post = Post(database, server)
    await post.run()
    await post.run(RELEASE + timedelta(seconds=90))
    assert len(server.received) == 6
    assert len({mail.message_id for mail in server.received}) == 5
    assert {one[0] for one in (await recipients(database)).values()} == {"sent"}


@pytest.mark.usefixtures("written")
async def test_each_admin_gets_one_mail_when_two_schedulers_send(database: Database, server: MailServer) -> None:
    first, second = Post(database, server), Post(database, server)
    await asyncio.gather(first.run(), second.run())
    assert sorted(mail.to for mail in server.received) == ADMINS


@pytest.mark.usefixtures("written")
async def test_claims_of_a_dead_scheduler_come_back(database: Database, server: MailServer) -> None:
    async with database.write() as connection:
        await connection.execute(
            text("update mail_recipients set claim = gen_random_uuid(), due_at = :until"),
            {"until": RELEASE + timedelta(seconds=300)},
        )
    post = Post(database, server)
    assert (await post.run())["taken"] == 0
    assert (await post.run(RELEASE + timedelta(seconds=301)))["taken"] == 5


@pytest.mark.usefixtures("written")
async def test_mails_wait_when_no_server_is_named(database: Database, server: MailServer) -> None:
    post = Post(database, server, mailer=None)
    assert (await post.run())["waiting"] == 5
    assert post.registry.get_sample_value("coro_scheduler_mails_waiting") == 5
