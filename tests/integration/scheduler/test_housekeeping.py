"""What the scheduler tells and tidies beside the sunset: failures, rows whose time is over, the daily look."""

import uuid
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from coro_events.runtime.clock import SystemClock
from coro_events.store.partitions import make_partitions
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.scheduler.chores.consistency import Consistency
from services.scheduler.chores.failures import Failures
from services.scheduler.chores.forgetting import IdempotencyKeys, OldMails, Sessions
from services.scheduler.mail.writing import Writing
from tests.support.makers import insert_webhook, insert_workspace
from tests.support.sunset import RELEASE, insert_admin, mails_of, rows

HOUR = timedelta(hours=1)


@pytest.fixture
def failures(database: Database) -> Failures:
    return Failures(database, Writing(database, console_url=None))


@pytest.fixture
async def msp(database: Database) -> None:
    await insert_workspace(database, "msp")
    await insert_workspace(database, "acme", "msp")
    await insert_admin(database, "msp", "admin@msp.example.com")


async def disable(database: Database, webhook_id: uuid.UUID, *, actor: str = "system:dispatcher") -> None:
    """Write down that a webhook is disabled, as the dispatcher or somebody else does."""
    async with database.write() as connection:
        told = {"id": webhook_id, "subject": str(webhook_id), "actor": actor, "at": RELEASE}
        await connection.execute(
            text("update webhooks set state = 'disabled', disabled_reason = 'status 500' where id = :id"), told
        )
        await connection.execute(
            text(
                "insert into activity_log (workspace_id, at, actor, action, subject)"
                " values ('acme', :at, :actor, 'webhook.disabled', :subject)"
            ),
            told,
        )


@pytest.mark.usefixtures("msp")
async def test_admins_get_one_mail_about_all_webhooks_that_failed_for_good(
    database: Database, vault: Vault, failures: Failures
) -> None:
    for name in ("Billing", "Usage"):
        await disable(database, (await insert_webhook(database, vault, name=name)).id)
    assert await failures.run_once(RELEASE + HOUR) == {"webhooks": 2, "mails": 1}
    assert await mails_of(database) == [("disabled", "msp", ("Billing", "Usage"))]
    assert await failures.run_once(RELEASE + HOUR) == {"webhooks": 0, "mails": 0}
    (words,) = await rows(database, "select subject, text from mails")
    assert words[0] == "2 webhooks disabled after failed deliveries (Workspace msp)"
    assert "status 500" in words[1]


@pytest.mark.usefixtures("msp")
async def test_second_failure_is_told_again(database: Database, vault: Vault, failures: Failures) -> None:
    webhook = await insert_webhook(database, vault)
    for _ in range(2):
        await disable(database, webhook.id)
        assert await failures.run_once(RELEASE + HOUR) == {"webhooks": 1, "mails": 1}


@pytest.mark.usefixtures("msp")
async def test_nothing_is_told_of_a_webhook_that_is_enabled_again_removed_or_disabled_by_hand(
    database: Database, vault: Vault, failures: Failures
) -> None:
    again, removed, by_hand = [(await insert_webhook(database, vault)).id for _ in range(3)]
    await disable(database, again)
    await disable(database, removed)
    await disable(database, by_hand, actor="user:admin@msp.example.com")
    async with database.write() as connection:
        await connection.execute(text("update webhooks set state = 'enabled' where id = :id"), {"id": again})
        await connection.execute(text("delete from webhooks where id = :id"), {"id": removed})
    assert await failures.preview(RELEASE + HOUR) == []
    assert await failures.run_once(RELEASE + HOUR) == {"webhooks": 0, "mails": 0}


@pytest.mark.usefixtures("msp")
async def test_failure_is_no_news_after_a_month(database: Database, vault: Vault, failures: Failures) -> None:
    await disable(database, (await insert_webhook(database, vault)).id)
    assert await failures.run_once(RELEASE + timedelta(days=31)) == {"webhooks": 0, "mails": 0}


async def test_sessions_and_idempotency_keys_go_when_their_time_is_over(database: Database) -> None:
    await insert_workspace(database, "acme")
    await insert_admin(database, "acme", "admin@acme.example.com")
    session = text(
        "insert into sessions (token_hash, user_id, csrf, last_seen_at, expires_at)"
        " select decode(cast(:name as text), 'escape'), id, '', :at, :at from users"
    )
    key = text(
        "insert into idempotency_keys (client_id, key, request_sealed, claim, claimed_until, expires_at)"
        " values ('c', :name, '', gen_random_uuid(), :at, :at)"
    )
    async with database.write() as connection:
        for name, at in (("old", RELEASE), ("young", RELEASE + HOUR)):
            await connection.execute(session, {"name": name, "at": at})
            await connection.execute(key, {"name": name, "at": at})
    for chore in (Sessions(database), IdempotencyKeys(database)):
        assert [planned.count for planned in await chore.preview(RELEASE)] == [1]
        assert await chore.run_once(RELEASE) == {"removed": 1}
        assert await chore.run_once(RELEASE) == {"removed": 0}
    assert await rows(database, "select encode(token_hash, 'escape') from sessions") == [("young",)]
    assert await rows(database, "select key from idempotency_keys") == [("young",)]


@pytest.mark.usefixtures("msp")
async def test_mails_go_after_the_retention_time_and_not_while_somebody_waits_for_them(
    database: Database, vault: Vault, failures: Failures
) -> None:
    await disable(database, (await insert_webhook(database, vault)).id)
    await failures.run_once(RELEASE + HOUR)
    chore = OldMails(database, retention_days=30)
    later = RELEASE + timedelta(days=40)
    assert await chore.run_once(later) == {"removed": 0}
    async with database.write() as connection:
        await connection.execute(text("update mail_recipients set state = 'sent', sent_at = :at"), {"at": RELEASE})
    assert await chore.run_once(RELEASE + timedelta(days=20)) == {"removed": 0}
    assert [planned.count for planned in await chore.preview(later)] == [1]
    assert await chore.run_once(later) == {"removed": 1}
    assert await rows(database, "select count(*) from mail_recipients") == [(0,)]


async def test_daily_look_finds_what_does_not_fit_together(database: Database, vault: Vault) -> None:
    now = SystemClock().now()
    await insert_workspace(database, "acme")
    webhook = await insert_webhook(database, vault)
    delivery = text(
        "insert into deliveries (day, webhook_id, event_id, hook_id, workspace_id, due_at, claim)"
        " values (:day, :webhook_id, gen_random_uuid(), gen_random_uuid(), 'acme', :at, gen_random_uuid())"
    )
    message = text("insert into outbox (topic, key, message, created_at) values ('t', 'k', '{}', :at)")
    async with database.write() as connection:
        await make_partitions(connection, now.date(), now.date())
        long_ago = {"day": now.date(), "webhook_id": webhook.id, "at": now - HOUR}
        await connection.execute(delivery, long_ago)
        await connection.execute(message, {"at": now - HOUR})
    registry = CollectorRegistry()
    chore = Consistency(database, registry)
    did = await chore.run_once(now)
    assert (did["deliveries_without_event"], did["stuck_claims"]) == (1, 1)
    assert registry.get_sample_value("coro_scheduler_deliveries_without_event") == 1
    assert registry.get_sample_value("coro_scheduler_stuck_claims") == 1
    age_s = registry.get_sample_value("coro_scheduler_outbox_age_seconds")
    assert age_s is not None
    assert 3600 <= age_s < 3700
    assert await chore.run_once(now + HOUR) == {"asked": False}
    assert (await chore.run_once(now + timedelta(days=1)))["asked"] is True


async def test_daily_look_is_content_when_all_is_well(database: Database) -> None:
    did = await Consistency(database, CollectorRegistry()).run_once(SystemClock().now())
    assert did == {"asked": True, "deliveries_without_event": 0, "stuck_claims": 0, "outbox_age_s": 0.0}
