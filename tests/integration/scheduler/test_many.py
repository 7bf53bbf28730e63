"""A hundred thousand webhooks become due at once, and each step takes them within two minutes."""

import json
import time
import uuid
from datetime import datetime

import pytest
from sqlalchemy import text

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
from tests.support.sunset import END, RELEASE, REMINDER, WARNING, release_version_2, rows

MSPS = 100
CUSTOMERS = 250
WEBHOOKS = 4
LIMIT_S = 120.0

_MSPS = text(
    "insert into workspaces (id, path, type, display_name, status)"
    " select 'm' || m, array['m' || m], 'channel', 'MSP ' || m, 'subscription' from generate_series(1, :msps) m"
)
_CUSTOMERS = text(
    "insert into workspaces (id, parent_id, path, type, display_name, status)"
    " select 'm' || m || 'c' || c, 'm' || m, array['m' || m, 'm' || m || 'c' || c], 'child', 'Customer ' || c,"
    " 'subscription' from generate_series(1, :msps) m, generate_series(1, :customers) c"
)
# Every MSP and every customer has one.
_ADMINS = text(
    "insert into users (id, email, workspace_id, role)"
    " select gen_random_uuid(), 'admin@' || id || '.example.com', id, 'administrator' from workspaces"
)
_WEBHOOKS = text(
    "insert into webhooks (id, workspace_id, version, name, url, apply_to_all_descendants, triggers, secret_sealed,"
    " headers_sealed) select id, workspace_id, 1, name, 'https://receiver.example.com/hook', false,"
    " array['workspace-created'], secret, headers from unnest(cast(:ids as uuid[]), cast(:workspaces as text[]),"
    " cast(:names as text[]), cast(:secrets as bytea[]), cast(:headers as bytea[]))"
    " as g (id, workspace_id, name, secret, headers)"
)


async def fill(database: Database, vault: Vault) -> None:
    """Insert the tree, its admins and its webhooks, each with a secret and a header of its own."""
    async with database.write() as connection:
        await connection.execute(_MSPS, {"msps": MSPS})
        await connection.execute(_CUSTOMERS, {"msps": MSPS, "customers": CUSTOMERS})
        await connection.execute(_ADMINS)
    for msp in range(1, MSPS + 1):
        places = [(f"m{msp}c{1 + number // WEBHOOKS}", number) for number in range(CUSTOMERS * WEBHOOKS)]
        ids = [uuid.uuid4() for _ in places]
        header = json.dumps({"Authorization": "Bearer 0123456789"})
        params = {
            "ids": ids,
            "workspaces": [workspace for workspace, _ in places],
            "names": [f"Webhook {number % WEBHOOKS}" for _, number in places],
            "secrets": [vault.seal("0123456789abcdef0123456789abcdef", row=str(one), field="secret") for one in ids],
            "headers": [vault.seal(header, row=str(one), field="headers") for one in ids],
        }
        async with database.write() as connection:
            await connection.execute(_WEBHOOKS, params)
    async with database.autocommit() as connection:
        await connection.execute(text("analyze webhooks, workspaces, users"))


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_each_step_takes_a_hundred_thousand_webhooks_within_two_minutes(
    database_url: str, vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    database = Database(make_engine(database_url, application_name="coro-tests", pool_size=2))
    await fill(database, vault)
    await release_version_2(database)
    steps, writing = Steps(database), Writing(database, console_url="https://console.example.com")
    total = MSPS * CUSTOMERS * WEBHOOKS
    mails = MSPS * (CUSTOMERS + 1)
    took: dict[str, float] = {}

    async def measure(chore: Chore, now: datetime, **expected: int) -> None:
        for name, did in ((chore.name, expected), (f"{chore.name}, nothing left", dict.fromkeys(expected, 0))):
            started_s = time.monotonic()
            assert await chore.run_once(now) == did
            took[name] = time.monotonic() - started_s

    await measure(FirstNotice(steps, writing), RELEASE, webhooks=total, mails=mails)
    await measure(Reminder(steps, writing, vault), REMINDER, drafts=total, mails=mails)
    await measure(Warnings(steps), WARNING, webhooks=total)
    await measure(Expiry(steps, writing), END, webhooks=total, mails=mails)
    assert await rows(database, "select count(*) from outbox") == [(2 * total,)]
    await database.dispose()
    with capsys.disabled():
        for name, duration_s in took.items():
            print(f"\n{name:>28}: {duration_s:6.1f} s", end="")  # noqa: T201 - the figures are for whoever runs it
    assert max(took.values()) < LIMIT_S
