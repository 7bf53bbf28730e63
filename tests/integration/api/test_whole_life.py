"""The whole life of a version: release, six months, every mail, a draft published, another webhook's end.

Database, mail server, Kafka and dispatcher are real, the API is the whole application, the scheduler's chores are all
there; API and scheduler share a clock that passes through half a year and ends before the real present.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from sqlalchemy import update

from coro_events.contract.triggers import Trigger
from coro_events.rules.sunset import GRACE, WARNING, add_months, expiry
from coro_events.runtime.clock import SystemClock
from coro_events.store.tables import webhook_versions
from coro_events.store.unit import Database
from services.api.settings import ApiSettings
from services.scheduler.app import make_chores, make_mailer, make_rounds
from services.scheduler.settings import SchedulerSettings
from services.scheduler.standing import Standing
from tests.integration.api.calls import WEBHOOKS, Api, insert_credential
from tests.integration.api.test_drafts import post, read, release
from tests.integration.dispatcher.stand import Stand, standing
from tests.support.clock import FakeClock
from tests.support.kafka import Topics
from tests.support.mail_server import MailServer, Received
from tests.support.makers import TEST_KEYS, insert_workspace, make_event
from tests.support.sunset import insert_admin, rows
from tests.support.waiting import wait_until

STEP = timedelta(days=15)
CONSOLE = "https://console.example.com"


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that stands half a year and a few days before the present."""
    start = add_months(SystemClock().now(), -6) - timedelta(days=4)
    return FakeClock(start.replace(minute=0, second=0, microsecond=0), auto_advance=True)


@pytest.fixture
def settings(database_url: str) -> ApiSettings:
    return ApiSettings(
        api_requests_per_s=0,
        environment="local",
        database_url=SecretStr(database_url),
        kafka_bootstrap_servers="127.0.0.1:9",
        secret_keys=SecretStr(TEST_KEYS),
        token_keys=SecretStr(TEST_KEYS),
        allowed_networks="127.0.0.0/8",
    )


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    server = MailServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def stand(database_url: str, kafka_bootstrap: str, topics: Topics) -> AsyncIterator[Stand]:
    async with standing(database_url, kafka_bootstrap, topics) as stand:
        yield stand


class Life:
    """Everything there is, and the story of it."""

    def __init__(self, *, api: Api, stand: Stand, server: MailServer, database: Database, clock: FakeClock) -> None:
        self.api = api
        self.stand = stand
        self.server = server
        self.database = database
        self.clock = clock
        self.story: list[tuple[datetime, str]] = []
        self._told_mails = 0
        self._seen_mails = 0
        self._told_lines = 0
        self._emitted = 0

    def tell(self, what: str) -> None:
        self.story.append((self.clock.now(), what))

    async def until(self, then: datetime) -> None:
        """Let time pass until then, with a round of the scheduler every few days and at the very end."""
        while self.clock.now() < then:
            self.clock.set(min(then, self.clock.now() + STEP))
            await self.work()

    async def work(self) -> None:
        """Let a scheduler run every chore once."""
        settings = SchedulerSettings.model_validate(
            {
                "environment": "local",
                "database_url": self.stand.database_url,
                "kafka_bootstrap_servers": "127.0.0.1:9",
                "secret_keys": TEST_KEYS,
                "smtp_url": self.server.url(),
                "console_url": CONSOLE,
            }
        )
        registry = CollectorRegistry()
        chores = make_chores(
            settings,
            self.database,
            mailer=make_mailer(settings),
            clock=self.clock,
            registry=registry,
            span_s=240,
            stopping=asyncio.Event(),
        )
        rounds = make_rounds(settings, chores, clock=self.clock, standing=Standing(registry, patience=3))
        reports = await rounds.once(self.clock.now())
        assert [report.chore for report in reports if not report.is_ok] == []
        await self._listen()

    async def _listen(self) -> None:
        """Put into the story what is new in the activity log and in the mail boxes."""
        query = (
            "select id, action, detail ->> 'name' from activity_log where id > :after and actor = 'system:scheduler'"
            " order by id"
        )
        for number, action, name in await rows(self.database, query, after=self._told_lines):
            self._told_lines = number
            self.tell(f"{action}: {name}")
        for mail in self.server.received[self._told_mails :]:
            self.tell(f"mail to {mail.to}: {mail.subject}")
        self._told_mails = len(self.server.received)

    async def emit(self, *expected: tuple[str, int]) -> None:
        """Emit an event, and see which paths get it in which version; nobody else does."""
        before = len(self.stand.receiver.received)
        event = make_event(
            trigger=Trigger.WORKSPACE_STATUS_UPDATED,
            workspace_id="acme",
            data=b'{"status":"trial"}',
            occurred_at=SystemClock().now(),
        )
        await self.stand.emit(event)
        await self.stand.receiver.until(before + len(expected))
        await wait_until(lambda: self._is_recorded(event.id), what="the deliveries to be recorded")
        arrived = self.stand.receiver.received[before:]
        got = sorted((one.path, one.json().get("version", 1)) for one in arrived)
        assert got == sorted(expected)
        self._emitted += 1
        self.tell(f"event {self._emitted} delivered: {', '.join(f'{path} as version {n}' for path, n in got)}")

    async def _is_recorded(self, event_id: UUID) -> bool:
        query = "select distinct state from deliveries where event_id = :id and kind = 'event'"
        return await rows(self.database, query, id=event_id) == [("delivered",)]

    def mails(self, subject: str = "", *to: str) -> list[Received]:
        """See that these mails came since the last look, each once, and no others; return them."""
        new = self.server.received[self._seen_mails :]
        self._seen_mails = len(self.server.received)
        assert sorted(mail.to for mail in new) == sorted(to)
        assert {mail.subject[: len(subject)] for mail in new} <= {subject}
        return new


@pytest.fixture
async def life(http: httpx.AsyncClient, stand: Stand, server: MailServer, database: Database, clock: FakeClock) -> Life:
    """An MSP with a customer, an admin each, and the MSP's client."""
    await insert_workspace(database, "msp")
    await insert_workspace(database, "acme", "msp")
    await insert_admin(database, "msp", "admin@msp.example.com", role="super_admin")
    await insert_admin(database, "acme", "admin@acme.example.com")
    await insert_credential(database, client_id="billing", workspace_id="msp")
    async with database.write() as connection:
        # As if the schema had been made before the story begins.
        await connection.execute(
            update(webhook_versions).where(webhook_versions.c.version == 1).values(released_at=clock.now())
        )
    return Life(api=Api(http, workspace="acme"), stand=stand, server=server, database=database, clock=clock)


async def create(life: Life, name: str) -> dict[str, Any]:
    webhook = await life.api.create(
        name=name, url=life.stand.receiver.url(f"/ok/{name}"), triggers=["workspaceStatusUpdated.v1"]
    )
    life.tell(f"webhook {name} created at version {webhook['version']}")
    return webhook


@pytest.mark.timeout(300)
async def test_version_lives_and_ends_as_promised(life: Life, capsys: pytest.CaptureFixture[str]) -> None:
    with life.stand.dispatcher():
        await _live(life)
    with capsys.disabled():
        print()  # noqa: T201 - the timeline is for whoever runs it
        for at, what in life.story:
            print(f"{at:%Y-%m-%d %H:%M}  {what}")  # noqa: T201 - the same


async def _live(life: Life) -> None:
    both = ("admin@acme.example.com", "admin@msp.example.com")
    await life.api.sign_in("billing")
    published, left = await create(life, "Billing"), await create(life, "Usage")
    await life.work()
    await life.emit(("/ok/Billing", 1), ("/ok/Usage", 1))
    assert life.server.received == []

    life.clock.set(life.clock.now() + timedelta(hours=1))
    released_at = life.clock.now()
    expires_at = expiry(released_at)
    await release(life.database, life.clock, 2)
    life.tell("version 2 released")
    await life.work()
    life.mails("Webhook version 1 expires on", *both)

    await life.until(add_months(expires_at, -1) - timedelta(minutes=1))
    life.mails()
    await life.until(add_months(expires_at, -1))
    life.mails("Reminder: webhook version 1 expires on", *both)
    await life.emit(("/ok/Billing", 1), ("/ok/Usage", 1))

    await life.api.sign_in("billing")
    draft = (await life.api.get(f"{WEBHOOKS}/{published['id']}/draft")).json()
    assert (draft["status"], draft["version"], draft["url"]) == ("draft", 2, published["url"])
    await post(life.api, draft, "publish")
    life.tell("draft of Billing published")
    await life.emit(("/ok/Billing", 2), ("/ok/Usage", 1))

    await life.until(expires_at - WARNING)
    life.mails()
    await life.until(expires_at + GRACE - timedelta(minutes=1))
    await life.emit(("/ok/Billing", 2), ("/ok/Usage", 1))
    await life.until(expires_at + GRACE)
    mails = life.mails("Webhook version 1 has expired: 1 webhook stopped", *both)
    assert all("Usage" in mail.text and "Billing" not in mail.text for mail in mails)
    await life.emit(("/ok/Billing", 2))

    await life.api.sign_in("billing")
    assert [(await read(life.api, one))["status"] for one in (published, left, draft)] == [
        "expired",
        "expired",
        "enabled",
    ]
    steps = "select kind from notices n where webhook_id = :id order by at, kind"
    assert [kind for (kind,) in await rows(life.database, steps, id=left["id"])] == [
        "first",
        "draft",
        "reminder",
        "warning",
        "expired",
    ]
    await life.until(expires_at + GRACE + timedelta(days=1))
    life.mails()
