"""Composition root of the scheduler: makes the parts, hands them to one another, supervises."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry

from coro_events.errors import CoroError, StoreUnavailableError
from coro_events.migrate import require_current_schema
from coro_events.runtime.clock import Clock
from coro_events.runtime.logs import get_logger
from coro_events.runtime.ops import Ops, serve
from coro_events.runtime.retrying import until_it_works
from coro_events.runtime.supervisor import Supervisor
from coro_events.store.engine import make_engine
from coro_events.store.unit import Database
from services.scheduler.chores.partitions import Partitions
from services.scheduler.chores.sql import SqlPartitionStore
from services.scheduler.leading.candidacy import Candidacy
from services.scheduler.leading.sql import AdvisoryLeadership
from services.scheduler.rounds import Chore, Report, Rounds
from services.scheduler.settings import SchedulerSettings
from services.scheduler.standing import Standing

_log = get_logger("app")

# Beyond its own limits a loop may be late by this much before the process counts as stuck.
_LATENESS_S = 30.0


def make_database(settings: SchedulerSettings, *, pool_size: int) -> Database:
    """Make the units of work of one purpose."""
    url = settings.database_url.get_secret_value()
    return Database(make_engine(url, application_name="coro-scheduler", pool_size=pool_size))


def make_chores(settings: SchedulerSettings, database: Database) -> list[Chore]:
    """Make every chore, in the order in which a round runs them."""
    store = SqlPartitionStore(database, lock_s=settings.scheduler_lock_s)
    return [Partitions(store, retention_days=settings.retention_days)]


def make_rounds(settings: SchedulerSettings, database: Database, *, clock: Clock, standing: Standing) -> Rounds:
    """Make the rounds over every chore."""
    return Rounds(
        chores=make_chores(settings, database),
        clock=clock,
        standing=standing,
        interval_s=settings.scheduler_interval_s,
        tick_s=settings.scheduler_heartbeat_s,
        chore_limit_s=settings.scheduler_chore_limit_s,
    )


async def run_once(settings: SchedulerSettings, *, clock: Clock, now: datetime) -> int:
    """Run every chore once as at this time and print a JSON line for each; return the exit code.

    Raises:
        SchemaBehindError: The schema is older than the code.
        StoreUnavailableError: The database is away.
    """
    database = make_database(settings, pool_size=2)
    standing = Standing(CollectorRegistry(), patience=settings.scheduler_chore_patience)
    try:
        await require_current_schema(database)
        reports = await make_rounds(settings, database, clock=clock, standing=standing).once(now)
    finally:
        await database.dispose()
    for report in reports:
        sys.stdout.write(f"{_line(report, now)}\n")
    return 0 if all(report.is_ok for report in reports) else 1


def _line(report: Report, now: datetime) -> str:
    outcome: dict[str, object] = {"error": report.error} if report.error else dict(report.did)
    head = {
        "chore": report.chore,
        "ok": report.is_ok,
        "now": now.isoformat(),
        "duration_s": round(report.duration_s, 3),
    }
    return json.dumps(head | outcome)


async def run(settings: SchedulerSettings, *, clock: Clock) -> int:
    """Run until a signal; return the exit code.

    Raises:
        SchemaBehindError: The schema is older than the code.
        StoreUnavailableError: The database was still away when a signal came.
    """
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
        return await _supervise(settings, supervisor, database, own, clock)
    finally:
        await database.dispose()
        await own.dispose()


async def _supervise(
    settings: SchedulerSettings, supervisor: Supervisor, database: Database, own: Database, clock: Clock
) -> int:
    registry = CollectorRegistry()
    standing = Standing(registry, patience=settings.scheduler_chore_patience)
    rounds = make_rounds(settings, database, clock=clock, standing=standing)
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
    return await supervisor.run()
