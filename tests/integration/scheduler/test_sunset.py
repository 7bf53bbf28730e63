"""The steps of the sunset on a real database: who is told, what is made, what ends, and that nothing happens twice."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.scheduler.chores.expiry import Expiry
from services.scheduler.chores.first_notice import FirstNotice
from services.scheduler.chores.reminder import Reminder
from services.scheduler.chores.steps import Steps
from services.scheduler.chores.warning import Warnings
from services.scheduler.mail.writing import Writing
from services.scheduler.rounds import Chore
from tests.support.makers import insert_webhook, insert_workspace, make_vault
from tests.support.sunset import (
    END,
    EXPIRY,
    RELEASE,
    REMINDER,
    WARNING,
    insert_admin,
    mails_of,
    notices_of,
    recipients_of,
    release_version_2,
    rows,
)

OTHER_KEYS = "other:" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
HOUR = timedelta(hours=1)


def chores_of(database: Database, vault: Vault) -> list[Chore]:
    """Return the chores of the sunset, in the order of a round, with tiny batches."""
    steps, writing = Steps(database, batch_webhooks=2), Writing(database, console_url="https://console.example.com")
    return [FirstNotice(steps, writing), Reminder(steps, writing, vault), Warnings(steps), Expiry(steps, writing)]


async def run_round(database: Database, now: datetime, vault: Vault | None = None) -> None:
    for chore in chores_of(database, vault or make_vault()):
        await chore.run_once(now)


@pytest.fixture
async def msp(database: Database) -> None:
    """An MSP with two customers; it and the first customer have administrators."""
    await insert_workspace(database, "msp")
    await insert_workspace(database, "acme", "msp")
    await insert_workspace(database, "bolt", "msp")
    await insert_admin(database, "msp", "admin@msp.example.com", role="super_admin")
    await insert_admin(database, "acme", "admin@acme.example.com")
    await insert_admin(database, "acme", "viewer@acme.example.com", role="viewer")
    await release_version_2(database)


@pytest.mark.usefixtures("msp")
async def test_each_workspace_with_admins_gets_one_mail_for_its_whole_subtree(database: Database, vault: Vault) -> None:
    for workspace, name in (("acme", "A1"), ("acme", "A2"), ("bolt", "B1"), ("bolt", "B2"), ("msp", "M1")):
        await insert_webhook(database, vault, workspace_id=workspace, name=name)
    await run_round(database, RELEASE)
    assert await mails_of(database) == [
        ("first", "acme", ("A1", "A2")),
        ("first", "msp", ("A1", "A2", "B1", "B2", "M1")),
    ]
    assert await recipients_of(database) == [("first", "admin@acme.example.com"), ("first", "admin@msp.example.com")]
    await run_round(database, RELEASE + HOUR)
    assert len(await mails_of(database)) == 2


@pytest.mark.usefixtures("msp")
async def test_nothing_happens_when_the_release_is_still_ahead(database: Database, vault: Vault) -> None:
    webhook = await insert_webhook(database, vault)
    await run_round(database, RELEASE - HOUR)
    assert await notices_of(database, webhook.id) == []
    assert await mails_of(database) == []


@pytest.mark.usefixtures("msp")
async def test_webhook_goes_through_its_whole_sunset_in_order(database: Database, vault: Vault) -> None:
    webhook = await insert_webhook(database, vault, workspace_id="acme", name="Billing", headers={"X-Key": "k"})
    seen = []
    for now in (RELEASE, REMINDER, WARNING, EXPIRY, END):
        await run_round(database, now)
        seen.append(await notices_of(database, webhook.id))
    assert seen == [
        ["first"],
        ["first", "reminder", "draft"],
        ["first", "reminder", "draft", "warning"],
        ["first", "reminder", "draft", "warning"],
        ["first", "reminder", "draft", "warning", "expired"],
    ]
    assert [mail[:2] for mail in await mails_of(database)] == [
        (kind, workspace) for kind in ("first", "reminder", "expired") for workspace in ("acme", "msp")
    ]
    query = "select state, expired_at, revision from webhooks where id = :id"
    assert await rows(database, query, id=webhook.id) == [("expired", END, 2)]
    told = await rows(database, "select message ->> 'type' from outbox order by id")
    assert told == [("webhook-draft-created",), ("webhook-expired",)]
    logged = await rows(database, "select action, actor, at from activity_log order by id")
    assert logged == [
        ("webhook.sunset_announced", "system:scheduler", RELEASE),
        ("webhook.sunset_reminded", "system:scheduler", REMINDER),
        ("webhook.draft_created", "system:scheduler", REMINDER),
        ("webhook.sunset_warned", "system:scheduler", WARNING),
        ("webhook.expired", "system:scheduler", END),
    ]


@pytest.mark.usefixtures("msp")
async def test_draft_is_a_full_copy_at_the_newest_version_with_secrets_of_its_own(
    database: Database, vault: Vault
) -> None:
    webhook = await insert_webhook(
        database,
        vault,
        name="Billing",
        description="To the ERP",
        url="https://receiver.example.com/hook?key=1",
        apply_to_all_descendants=True,
        triggers=["workspace-created", "subscription-updated"],
        headers={"X-Key": "k"},
    )
    await run_round(database, REMINDER)
    async with database.read() as connection:
        (draft,) = await connection.rows(text("select * from webhooks where draft_of = :id"), {"id": webhook.id})
    assert (draft.state, draft.version, draft.name, draft.description) == ("draft", 2, "Billing", "To the ERP")
    assert (draft.url, draft.apply_to_all_descendants) == ("https://receiver.example.com/hook?key=1", True)
    assert draft.triggers == ["workspace-created", "subscription-updated"]
    assert (draft.previous_secret_sealed, draft.shadow_url, draft.replaced_by) == (None, None, None)
    assert vault.open(draft.secret_sealed, row=str(draft.id), field="secret") == webhook.secret
    assert vault.open(draft.headers_sealed, row=str(draft.id), field="headers") == '{"X-Key": "k"}'


@pytest.mark.usefixtures("msp")
async def test_what_became_due_comes_once_and_without_what_is_overtaken_when_nobody_worked_for_weeks(
    database: Database, vault: Vault
) -> None:
    webhook = await insert_webhook(database, vault)
    await run_round(database, WARNING + HOUR)
    assert await notices_of(database, webhook.id) == ["reminder", "draft", "warning"]
    assert {mail[0] for mail in await mails_of(database)} == {"reminder"}


@pytest.mark.usefixtures("msp")
async def test_only_the_end_is_told_when_nobody_worked_until_then(database: Database, vault: Vault) -> None:
    webhook = await insert_webhook(database, vault)
    await run_round(database, END + timedelta(days=40))
    assert await notices_of(database, webhook.id) == ["expired"]
    assert {mail[0] for mail in await mails_of(database)} == {"expired"}
    assert await rows(database, "select count(*) from webhooks where draft_of is not null") == [(0,)]


@pytest.mark.usefixtures("msp")
async def test_replaced_webhook_ends_without_a_word(database: Database, vault: Vault) -> None:
    new = await insert_webhook(database, vault, name="Billing", version=2)
    old = await insert_webhook(
        database, vault, name="Billing", state="disabled", disabled_reason="replaced", replaced_by=new.id
    )
    for now in (RELEASE, REMINDER, WARNING, END):
        await run_round(database, now)
    assert await notices_of(database, old.id) == ["expired"]
    assert await notices_of(database, new.id) == []
    assert await mails_of(database) == []
    assert await rows(database, "select state from webhooks where id = :id", id=old.id) == [("expired",)]


@pytest.mark.usefixtures("msp")
async def test_disabled_webhook_has_the_same_sunset(database: Database, vault: Vault) -> None:
    webhook = await insert_webhook(database, vault, state="disabled", disabled_reason="disabled by hand")
    for now in (RELEASE, REMINDER, WARNING, END):
        await run_round(database, now)
    assert await notices_of(database, webhook.id) == ["first", "reminder", "draft", "warning", "expired"]


@pytest.mark.usefixtures("msp")
async def test_nobody_hears_of_an_archived_workspace_and_its_webhooks_end_all_the_same(
    database: Database, vault: Vault
) -> None:
    await insert_workspace(database, "gone", "msp", archived_at=RELEASE)
    webhook = await insert_webhook(database, vault, workspace_id="gone", state="disabled")
    for now in (RELEASE, REMINDER, WARNING):
        await run_round(database, now)
    assert await notices_of(database, webhook.id) == []
    await run_round(database, END)
    assert await notices_of(database, webhook.id) == ["expired"]


@pytest.mark.usefixtures("msp")
async def test_no_second_draft_is_made_when_there_is_one_already(database: Database, vault: Vault) -> None:
    webhook = await insert_webhook(database, vault, name="Billing")
    draft = await insert_webhook(database, vault, name="Billing", version=2, state="draft", draft_of=webhook.id)
    await run_round(database, REMINDER)
    assert await rows(database, "select id from webhooks where draft_of = :id", id=webhook.id) == [(draft.id,)]
    assert await notices_of(database, webhook.id) == ["reminder"]


@pytest.mark.usefixtures("msp")
async def test_removed_draft_does_not_come_back(database: Database, vault: Vault) -> None:
    webhook = await insert_webhook(database, vault)
    await run_round(database, REMINDER)
    async with database.write() as connection:
        await connection.execute(text("delete from webhooks where draft_of is not null"))
    await run_round(database, REMINDER + HOUR)
    assert await rows(database, "select count(*) from webhooks where draft_of = :id", id=webhook.id) == [(0,)]


@pytest.mark.usefixtures("msp")
async def test_others_get_their_drafts_when_one_secret_cannot_be_read_and_that_one_when_the_key_is_back(
    database: Database, vault: Vault
) -> None:
    lost = await insert_webhook(database, make_vault(OTHER_KEYS), name="Lost")
    good = await insert_webhook(database, vault, name="Good")
    await run_round(database, REMINDER)
    assert await notices_of(database, good.id) == ["reminder", "draft"]
    assert await notices_of(database, lost.id) == ["reminder"]
    await run_round(database, REMINDER + HOUR, make_vault(OTHER_KEYS))
    assert await notices_of(database, lost.id) == ["reminder", "draft"]


@pytest.mark.parametrize(
    ("level", "heard"),
    [
        ("all", {"admin@acme.example.com", "admin@msp.example.com"}),
        ("localAdmins", {"admin@acme.example.com"}),
        ("parent", {"admin@msp.example.com"}),
        ("none", set()),
    ],
)
@pytest.mark.usefixtures("msp")
async def test_who_hears_is_what_the_workspaces_level_says(
    database: Database, vault: Vault, level: str, heard: set[str]
) -> None:
    async with database.write() as connection:
        await connection.execute(
            text("update workspaces set notifications_level = :level where id = 'acme'"), {"level": level}
        )
    await insert_webhook(database, vault)
    await run_round(database, RELEASE)
    assert {email for _, email in await recipients_of(database)} == heard


@pytest.mark.usefixtures("msp")
async def test_no_mail_goes_to_who_wants_none(database: Database, vault: Vault) -> None:
    await insert_admin(database, "acme", "silent@acme.example.com", notifications_level="none")
    await insert_webhook(database, vault)
    await run_round(database, RELEASE)
    assert ("first", "silent@acme.example.com") not in await recipients_of(database)


@pytest.mark.usefixtures("msp")
async def test_webhook_that_somebody_is_editing_is_left_to_the_next_round_and_keeps_nobody_waiting(
    database: Database, vault: Vault
) -> None:
    edited, other = await insert_webhook(database, vault), await insert_webhook(database, vault)
    async with database.write() as editor:
        await editor.execute(text("select 1 from webhooks where id = :id for update"), {"id": edited.id})
        await run_round(database, RELEASE)
        assert await notices_of(database, edited.id) == []
        assert await notices_of(database, other.id) == ["first"]
    await run_round(database, RELEASE + HOUR)
    assert await notices_of(database, edited.id) == ["first"]


@pytest.mark.usefixtures("msp")
async def test_two_schedulers_at_once_do_everything_once(database: Database, vault: Vault) -> None:
    ids = [(await insert_webhook(database, vault, name=f"W{number}")).id for number in range(12)]
    for now in (RELEASE, REMINDER, END):
        await asyncio.gather(*(run_round(database, now) for _ in range(3)))
        # What one left to another, because it was at it at that moment, is the next round's.
        await run_round(database, now + timedelta(minutes=1))
    for webhook_id in ids:
        assert await notices_of(database, webhook_id) == ["first", "reminder", "draft", "expired"]
    assert await rows(database, "select count(*) from outbox") == [(24,)]
    assert await rows(database, "select count(*) from activity_log") == [(48,)]
    listed = await rows(
        database,
        "select m.kind, m.workspace_id, l.webhook_id from mails m join mail_webhooks l on l.mail_id = m.id",
    )
    assert len(listed) == len(set(listed)) == 12 * 3 * 2
