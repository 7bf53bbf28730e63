"""Wherever the scheduler dies, the next one comes to the same end: shown for every commit of every round."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from coro_events.store.engine import make_engine
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.scheduler.app import make_chores, make_mailer, make_rounds
from services.scheduler.settings import SchedulerSettings
from services.scheduler.standing import Standing
from tests.support.clock import FakeClock
from tests.support.mail_server import MailServer
from tests.support.makers import TEST_KEYS, insert_webhook, insert_workspace
from tests.support.mortal import Killed, MortalDatabase
from tests.support.postgres import create_database, drop_database, new_name
from tests.support.sunset import END, RELEASE, REMINDER, WARNING, insert_admin, release_version_2, rows

ROUNDS = [RELEASE, REMINDER, WARNING, END]
# Longer than the lease of a mail that the dead one was about to send.
AFTERWARDS = timedelta(minutes=10)

_STATE = {
    "webhooks": ("select w.name, w.version, w.state, o.name from webhooks w left join webhooks o on o.id = w.draft_of"),
    "notices": "select w.name, n.version, n.kind from notices n join webhooks w on w.id = n.webhook_id",
    "activity": "select workspace_id, action, detail ->> 'name' from activity_log",
    "outbox": "select key, message ->> 'type', message -> 'data' ->> 'name' from outbox",
    "mails": (
        "select m.kind, m.version, m.workspace_id, m.sealed_at is not null, m.subject,"
        " array(select w.name from mail_webhooks l join webhooks w on w.id = l.webhook_id where l.mail_id = m.id"
        " order by w.name)::text from mails m"
    ),
    "recipients": (
        "select m.kind, m.workspace_id, r.email, r.state, r.claim is null"
        " from mail_recipients r join mails m on m.id = r.mail_id"
    ),
    "sessions": "select csrf from sessions",
    "keys": "select key from idempotency_keys",
}


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    server = MailServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def world_url(database_admin_url: str, _template_database: str, vault: Vault) -> AsyncIterator[str]:
    """A database that can be copied, with an MSP, two customers, webhooks, and some rows whose time is over."""
    name = new_name("world")
    url = await create_database(database_admin_url, name, template=_template_database)
    # Whoever is connected stands in the way of a copy.
    database = Database(make_engine(url, application_name="coro-tests", pool_size=0))
    await fill(database, vault)
    await database.dispose()
    yield url
    await drop_database(database_admin_url, name)


async def fill(database: Database, vault: Vault) -> None:
    await insert_workspace(database, "msp")
    for customer in ("acme", "bolt"):
        await insert_workspace(database, customer, "msp")
        await insert_admin(database, customer, f"admin@{customer}.example.com")
    await insert_admin(database, "msp", "admin@msp.example.com")
    for workspace, name in (("acme", "A1"), ("acme", "A2"), ("bolt", "B1"), ("bolt", "B2"), ("msp", "M1")):
        await insert_webhook(database, vault, workspace_id=workspace, name=name, headers={"X-Key": name})
    failed = await insert_webhook(database, vault, name="F1", version=2, state="disabled", disabled_reason="status 500")
    await release_version_2(database)
    failure = (
        "insert into activity_log (workspace_id, at, actor, action, subject, detail) values"
        " ('acme', :at, 'system:dispatcher', 'webhook.disabled', :id, '{\"name\": \"F1\"}')"
    )
    session = (
        "insert into sessions (token_hash, user_id, csrf, created_at, last_seen_at, expires_at)"
        " select '', id, '', :at, :at, :at from users limit 1"
    )
    key = (
        "insert into idempotency_keys (client_id, key, request_sealed, claim, claimed_until, expires_at)"
        " values ('c', 'k', '', gen_random_uuid(), :at, :at)"
    )
    async with database.write() as connection:
        await connection.execute(text(failure), {"at": RELEASE, "id": str(failed.id)})
        await connection.execute(text(session), {"at": RELEASE})
        await connection.execute(text(key), {"at": RELEASE})


async def state_of(url: str) -> dict[str, Counter[tuple[Any, ...]]]:
    """Return all that is to be the same in the end."""
    database = Database(make_engine(url, application_name="coro-tests", pool_size=0))
    state = {name: Counter(await rows(database, query)) for name, query in _STATE.items()}
    await database.dispose()
    return state


async def run_round(
    url: str, server: MailServer, now: datetime, *, dies_at: int | None = None, is_before: bool = True
) -> tuple[bool, int]:
    """Run every chore but the one of partitions; return whether it lived, and how many commits there were."""
    settings = SchedulerSettings.model_validate(
        {
            "environment": "local",
            "database_url": url,
            "kafka_bootstrap_servers": "127.0.0.1:1",
            "secret_keys": TEST_KEYS,
            "smtp_url": server.url(),
            "scheduler_batch_webhooks": 2,
        }
    )
    clock, registry = FakeClock(now, auto_advance=True), CollectorRegistry()
    engine = make_engine(url, application_name="coro-tests", pool_size=0)
    database = MortalDatabase(engine, dies_at=dies_at, is_before=is_before)
    chores = make_chores(
        settings,
        database,
        mailer=make_mailer(settings),
        clock=clock,
        registry=registry,
        span_s=240,
        stopping=asyncio.Event(),
    )
    chores = [chore for chore in chores if chore.name != "partitions"]
    rounds = make_rounds(settings, chores, clock=clock, standing=Standing(registry, patience=3))
    try:
        reports = await rounds.once(now)
    except Killed:
        return False, database.commits
    finally:
        await database.dispose()
    assert [report.chore for report in reports if not report.is_ok] == []
    return True, database.commits


def heard(server: MailServer) -> Counter[tuple[str, str]]:
    """Return who was told what, a mail that came twice counting once."""
    return Counter({(mail.message_id, mail.to): (mail.to, mail.subject) for mail in server.received}.values())


# Slow by its nature: a life of the scheduler for each of its commits.
@pytest.mark.slow
@pytest.mark.parametrize("death", ["before", "after"])
async def test_whole_life_ends_the_same_when_every_round_dies_at_each_of_its_commits_in_turn(
    database_admin_url: str, world_url: str, server: MailServer, death: str
) -> None:
    twin_name = new_name("twin")
    twin_url = await create_database(database_admin_url, twin_name, template=_name(world_url))
    undisturbed = MailServer()
    await undisturbed.start()
    for now in ROUNDS:
        assert (await run_round(twin_url, undisturbed, now))[0]
        dies_at, lives = 1, False
        while not lives:
            later = now + AFTERWARDS * (dies_at - 1)
            lives, _ = await run_round(world_url, server, later, dies_at=dies_at, is_before=death == "before")
            dies_at += 1
        assert dies_at > 10, "it died often enough to mean something"
    assert await state_of(world_url) == await state_of(twin_url)
    assert heard(server) == heard(undisturbed)
    await undisturbed.stop()
    await drop_database(database_admin_url, twin_name)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", range(len(ROUNDS)), ids=["release", "reminder", "warning", "end"])
async def test_round_ends_the_same_whichever_of_its_commits_it_dies_at(
    database_admin_url: str, world_url: str, server: MailServer, number: int
) -> None:
    for now in ROUNDS[:number]:
        await run_round(world_url, server, now)
    now = ROUNDS[number]
    expected, commits = await _outcome(database_admin_url, world_url, now, dies_at=None, is_before=True)
    assert commits > 5
    for dies_at in range(1, commits + 1):
        for is_before in (True, False):
            outcome, _ = await _outcome(database_admin_url, world_url, now, dies_at=dies_at, is_before=is_before)
            assert outcome == expected, f"dead at commit {dies_at}, {'before' if is_before else 'after'} it"


async def _outcome(
    admin_url: str, template_url: str, now: datetime, *, dies_at: int | None, is_before: bool
) -> tuple[object, int]:
    """Run a round in a copy of a database, dying and being started anew; return the end and the commits."""
    name, server = new_name("copy"), MailServer()
    url = await create_database(admin_url, name, template=_name(template_url))
    await server.start()
    lives, commits = await run_round(url, server, now, dies_at=dies_at, is_before=is_before)
    assert lives == (dies_at is None)
    await run_round(url, server, now + AFTERWARDS)
    outcome = await state_of(url), heard(server)
    await server.stop()
    await drop_database(admin_url, name)
    return outcome, commits


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")
