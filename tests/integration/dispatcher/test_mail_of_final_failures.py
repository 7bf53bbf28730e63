"""From the final failure of a delivery to the mail in an admin's box: the dispatcher, the scheduler, a mail server."""

from collections.abc import AsyncIterator

import pytest

from coro_events.runtime.clock import SystemClock
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.dispatcher.deliver.outcome import Outcome
from services.scheduler.chores.failures import Failures
from services.scheduler.mail.writing import Writing
from tests.integration.dispatcher.room import Room, count_updated
from tests.integration.dispatcher.test_final_failures import fail_for_good
from tests.integration.scheduler.test_mails import Post
from tests.support.clock import FakeClock
from tests.support.dispatching import make_effect
from tests.support.mail_server import MailServer
from tests.support.makers import insert_webhook, insert_workspace
from tests.support.sunset import insert_admin


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    server = MailServer()
    await server.start()
    yield server
    await server.stop()


async def send_mails(database: Database, server: MailServer) -> None:
    """Run the scheduler's chores that tell of failures and send what is written, as of now."""
    now = SystemClock().now()
    await Failures(database, Writing(database, console_url=None)).run_once(now)
    await Post(database, server).run(now)


async def test_admins_hear_once_of_a_webhook_when_its_delivery_failed_for_good(
    database: Database, vault: Vault, server: MailServer
) -> None:
    room = Room(database, vault, FakeClock(SystemClock().now()))
    await insert_workspace(database, "msp")
    await insert_admin(database, "msp", "admin@msp.example.com")
    values = {"workspace_id": "msp", "triggers": ["workspace-status-updated"]}
    await insert_webhook(database, vault, name="Billing", **values)
    await insert_webhook(database, vault, name="Usage", **values)
    deliveries = await room.plan(count_updated("msp"))
    billing, usage = sorted(deliveries, key=lambda one: str(one.target.webhook_id))
    await room.ledger.record([make_effect(usage)])
    await fail_for_good(room, billing)
    for _ in range(2):
        await send_mails(database, server)
    (mail,) = server.received
    assert mail.to == "admin@msp.example.com"
    (row,) = await room.all("select name, disabled_reason from webhooks where state = 'disabled'")
    # Lines are folded.
    told = " ".join(mail.text.split())
    assert row.disabled_reason in told
    assert [name in told for name in ("Billing", "Usage")] == [row.name == "Billing", row.name == "Usage"]


async def test_nobody_hears_of_a_final_failure_that_was_not_recorded(
    database: Database, vault: Vault, server: MailServer
) -> None:
    room = Room(database, vault, FakeClock(SystemClock().now()))
    await insert_workspace(database, "msp")
    await insert_admin(database, "msp", "admin@msp.example.com")
    await insert_webhook(database, vault, workspace_id="msp", triggers=["workspace-status-updated"])
    (delivery,) = await room.plan(count_updated("msp"))
    await room.change("update deliveries set claim = gen_random_uuid() where hook_id = :id", id=delivery.hook_id)
    assert await room.ledger.record([make_effect(delivery, Outcome.GONE)]) == []
    await send_mails(database, server)
    assert server.received == []
