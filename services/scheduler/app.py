"""Composition root of the scheduler: makes the parts, hands them to one another, supervises."""

import asyncio
import ssl
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry

from coro_events.errors import CoroError, StoreUnavailableError
from coro_events.migrate import require_current_schema
from coro_events.runtime.clock import Clock
from coro_events.runtime.keys import parse_keys
from coro_events.runtime.logs import get_logger
from coro_events.runtime.ops import Ops, serve
from coro_events.runtime.retrying import until_it_works
from coro_events.runtime.supervisor import Supervisor
from coro_events.store.engine import make_engine
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.scheduler.chores.consistency import Consistency
from services.scheduler.chores.expiry import Expiry
from services.scheduler.chores.failures import Failures
from services.scheduler.chores.first_notice import FirstNotice
from services.scheduler.chores.forgetting import IdempotencyKeys, OldMails, Sessions
from services.scheduler.chores.partitions import Partitions
from services.scheduler.chores.reminder import Reminder
from services.scheduler.chores.sql import SqlPartitionStore
from services.scheduler.chores.steps import Steps
from services.scheduler.chores.warning import Warnings
from services.scheduler.leading.candidacy import Candidacy
from services.scheduler.leading.sql import AdvisoryLeadership
from services.scheduler.mail.measures import MailMeasures
from services.scheduler.mail.ports import Mailer
from services.scheduler.mail.sending import Sending
from services.scheduler.mail.servers import read_server
from services.scheduler.mail.smtp import SmtpMailer
from services.scheduler.mail.writing import Writing
from services.scheduler.rounds import Chore, Rounds
from services.scheduler.settings import SchedulerSettings
from services.scheduler.showing import plan_lines, plan_table, report_line
from services.scheduler.standing import Standing

_log = get_logger("app")

# Beyond its own limits a loop may be late by this much before the process counts as stuck.
_LATENESS_S = 30.0

# A run of the mail chore ends well within the limit of a chore; the next one goes on.
_SPAN_OF_LIMIT = 0.8


def make_database(settings: SchedulerSettings, *, pool_size: int) -> Database:
    """Make the units of work of one purpose."""
    url = settings.database_url.get_secret_value()
    return Database(make_engine(url, application_name="coro-scheduler", pool_size=pool_size))


def make_mailer(settings: SchedulerSettings) -> Mailer | None:
    """Make the way to the mail server; none where no server is named.

    Raises:
        SettingsError: CORO_SMTP_URL cannot be read.
    """
    if settings.smtp_url is None:
        return None
    server = read_server(settings.smtp_url.get_secret_value(), is_local=settings.environment == "local")
    return SmtpMailer(
        server,
        sender=settings.scheduler_mail_from,
        limit_s=settings.scheduler_mail_answer_s,
        tls=ssl.create_default_context(),
    )


def make_chores(
    settings: SchedulerSettings,
    database: Database,
    *,
    mailer: Mailer | None,
    clock: Clock,
    registry: CollectorRegistry,
    span_s: float,
    stopping: asyncio.Event,
) -> list[Chore]:
    """Make every chore, in the order in which a round runs them.

    The steps of the sunset come in the order of a webhook's life, so that a scheduler that was away takes them in that
    order. Mail is last, because it may take long.
    """
    partitions = SqlPartitionStore(database, lock_s=settings.scheduler_lock_s)
    steps = Steps(database, batch_webhooks=settings.scheduler_batch_webhooks)
    writing = Writing(database, console_url=settings.console_url)
    vault = Vault(parse_keys(settings.secret_keys.get_secret_value(), setting="CORO_SECRET_KEYS"))
    sending = Sending(
        database=database,
        mailer=mailer,
        sender=settings.scheduler_mail_from,
        clock=clock,
        rate_per_s=settings.scheduler_mails_per_s,
        span_s=span_s,
        stopping=stopping,
        measures=MailMeasures(registry),
    )
    return [
        Partitions(partitions, retention_days=settings.retention_days),
        FirstNotice(steps, writing),
        Reminder(steps, writing, vault),
        Warnings(steps),
        Expiry(steps, writing),
        Failures(database, writing),
        Sessions(database),
        IdempotencyKeys(database),
        OldMails(database, retention_days=settings.retention_days),
        Consistency(database, registry),
        sending,
    ]


def make_rounds(settings: SchedulerSettings, chores: Sequence[Chore], *, clock: Clock, standing: Standing) -> Rounds:
    """Make the rounds over every chore."""
    return Rounds(
        chores=chores,
        clock=clock,
        standing=standing,
        interval_s=settings.scheduler_interval_s,
        tick_s=settings.scheduler_heartbeat_s,
        chore_limit_s=settings.scheduler_chore_limit_s,
    )


async def run_once(settings: SchedulerSettings, *, clock: Clock, now: datetime) -> int:
    """Run every chore once as at this time and print a JSON line for each; return the exit code.

    Raises:
        SettingsError: CORO_SMTP_URL cannot be read.
        SchemaBehindError: The schema is older than the code.
        StoreUnavailableError: The database is away.
    """
    mailer = make_mailer(settings)
    database = make_database(settings, pool_size=2)
    registry = CollectorRegistry()
    standing = Standing(registry, patience=settings.scheduler_chore_patience)
    try:
        await require_current_schema(database)
        chores = make_chores(
            settings,
            database,
            mailer=mailer,
            clock=clock,
            registry=registry,
            span_s=settings.scheduler_chore_limit_s * _SPAN_OF_LIMIT,
            stopping=asyncio.Event(),
        )
        reports = await make_rounds(settings, chores, clock=clock, standing=standing).once(now)
    finally:
        await database.dispose()
    for report in reports:
        sys.stdout.write(f"{report_line(report, now)}\n")
    return 0 if all(report.is_ok for report in reports) else 1


async def run_dry(settings: SchedulerSettings, *, clock: Clock, now: datetime, as_json: bool) -> int:
    """Print what every chore would do at this time, and change nothing; return the exit code.

    Raises:
        SchemaBehindError: The schema is older than the code.
        StoreUnavailableError: The database is away.
    """
    database = make_database(settings, pool_size=2)
    try:
        await require_current_schema(database)
        chores = make_chores(
            settings,
            database,
            mailer=None,
            clock=clock,
            registry=CollectorRegistry(),
            span_s=0,
            stopping=asyncio.Event(),
        )
        plan = [(chore.name, planned) for chore in chores for planned in await chore.preview(now)]
    finally:
        await database.dispose()
    for line in plan_lines(plan, now) if as_json else plan_table(plan, now):
        sys.stdout.write(f"{line}\n")
    return 0


async def run(settings: SchedulerSettings, *, clock: Clock) -> int:
    """Run until a signal; return the exit code.

    Raises:
        SettingsError: CORO_SMTP_URL cannot be read.
        SchemaBehindError: The schema is older than the code.
        StoreUnavailableError: The database was still away when a signal came.
    """
    mailer = make_mailer(settings)
    supervisor = Supervisor(drain_s=settings.scheduler_drain_s)
    supervisor.on_signals()
    database, own = make_database(settings, pool_size=2), make_database(settings, pool_size=0)
    try:
        await until_it_works(
            lambda: require_current_schema(database),
            name="schema",
            errors=(StoreUnavailableError,),
            clock=clock,
            stopping=supervisor.stopping,
        )
        return await _supervise(settings, supervisor, database, own, clock=clock, mailer=mailer)
    finally:
        await database.dispose()
        await own.dispose()


async def _supervise(
    settings: SchedulerSettings,
    supervisor: Supervisor,
    database: Database,
    own: Database,
    *,
    clock: Clock,
    mailer: Mailer | None,
) -> int:
    registry = CollectorRegistry()
    standing = Standing(registry, patience=settings.scheduler_chore_patience)
    chores = make_chores(
        settings,
        database,
        mailer=mailer,
        clock=clock,
        registry=registry,
        # So that the other chores have their turn about as often as without mail.
        span_s=min(settings.scheduler_interval_s, settings.scheduler_chore_limit_s * _SPAN_OF_LIMIT),
        stopping=supervisor.stopping,
    )
    rounds = make_rounds(settings, chores, clock=clock, standing=standing)
    candidacy = Candidacy(
        leadership=AdvisoryLeadership(
            own, answer_s=settings.scheduler_silence_s / 2, silence_s=settings.scheduler_silence_s
        ),
        clock=clock,
        heartbeat_s=settings.scheduler_heartbeat_s,
        announce=standing.leads,
    )

    async def healthy() -> Mapping[str, str]:
        now_s = clock.monotonic()
        problems = dict(standing.problems())
        if now_s - candidacy.asked_at > settings.scheduler_heartbeat_s + settings.scheduler_silence_s + _LATENESS_S:
            problems["leading"] = f"nothing heard for {now_s - candidacy.asked_at:.0f} s"
        if now_s - rounds.moved_at > settings.scheduler_heartbeat_s + settings.scheduler_chore_limit_s + _LATENESS_S:
            problems["rounds"] = f"no step forward for {now_s - rounds.moved_at:.0f} s"
        return problems

    async def ready() -> Mapping[str, str]:
        try:
            await require_current_schema(database)
        except CoroError as error:
            return {"database": str(error)}
        return {}

    ops = Ops(healthy=healthy, ready=ready, registry=registry)
    supervisor.start("leading", candidacy.run(rounds.finished))
    supervisor.start("rounds", rounds.run(candidacy.leads, supervisor.stopping))
    supervisor.start("ops", serve(ops, host=settings.ops_host, port=settings.ops_port, stopping=supervisor.stopping))
    _log.info("scheduler.started", ops_port=settings.ops_port)
    if mailer is None:
        _log.warning("mail.has_no_server")
    return await supervisor.run()
