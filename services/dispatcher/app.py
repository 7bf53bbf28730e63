"""The composition root: makes the adapters, hands them to the pipeline and supervises its loops."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from coro_events.contract.topics import EVENTS, REJECTED, WEBHOOKS
from coro_events.errors import BrokerUnavailableError, CoroError, SchemaBehindError, StoreUnavailableError
from coro_events.migrate import require_current_schema
from coro_events.runtime import ops
from coro_events.runtime.clock import Clock
from coro_events.runtime.kafka import make_consumer, make_producer
from coro_events.runtime.keys import parse_keys
from coro_events.runtime.logs import get_logger
from coro_events.runtime.retrying import until_it_works
from coro_events.runtime.supervisor import Supervisor
from coro_events.runtime.tracing import Tracing
from coro_events.store.engine import make_engine
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.dispatcher.bells import Bells, Progress
from services.dispatcher.deliver.http import HttpSender
from services.dispatcher.deliver.lanes import Lanes
from services.dispatcher.deliver.sql import SqlDueDeliveries
from services.dispatcher.hold.sql import SqlStoppedDeliveries
from services.dispatcher.intake.kafka import KafkaRejects, KafkaSource
from services.dispatcher.intake.sql import SqlConsumedOffsets, SqlFence, SqlTree
from services.dispatcher.match.sql import SqlPlanner
from services.dispatcher.match.targets import Targets
from services.dispatcher.metrics import Metrics
from services.dispatcher.pipeline import Pipeline
from services.dispatcher.record.report import Reporter
from services.dispatcher.record.retry import RetrySchedule
from services.dispatcher.record.sql import SqlLedger
from services.dispatcher.replay.sql import SqlReplays
from services.dispatcher.settings import DispatcherSettings
from services.dispatcher.upkeep import BACKLOG_INTERVAL_S, HOLD_INTERVALS, REVIEW_INTERVAL_S, Upkeep

_log = get_logger("app")

# A loop that works goes round every few seconds. On a day when the database is slow, one round may hold statements that
# each take the 30 s allowed to them; beyond three of them, and what the loop waits by itself, it is stuck.
STUCK_AFTER_S = 90.0

# How long PostgreSQL and Kafka have to answer before they count as away. A probe is given 5 s for everything.
AWAY_AFTER_S = 1.0

# How long leaving the group and closing connections may take after the drain. What a server that is away does not let
# us close is left open: the process ends, and that closes it.
CLOSE_WITHIN_S = 4.0


class Dispatcher:
    """One dispatcher process, wired."""

    def __init__(self, settings: DispatcherSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._supervisor = Supervisor(drain_s=settings.dispatcher_drain_s)
        self._registry = CollectorRegistry()
        # First what matters most: the age of deliveries leads the page.
        self._metrics = Metrics(self._registry)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        endpoint = settings.otlp_endpoint
        self._tracing = Tracing(service="dispatcher", endpoint=endpoint) if endpoint else None
        self._database = Database(
            make_engine(settings.database_url.get_secret_value(), application_name="coro-dispatcher", by_index=True)
        )
        self._lanes = Lanes(
            clock=clock,
            max_in_flight=settings.dispatcher_max_in_flight,
            max_in_flight_per_webhook=settings.dispatcher_max_in_flight_per_webhook,
            max_waiting=settings.dispatcher_max_waiting,
        )
        client_id = f"coro-dispatcher-{socket.gethostname()}-{os.getpid()}"
        self._rejects = KafkaRejects(
            make_producer(settings.kafka_bootstrap_servers, client_id=client_id),
            topic=settings.kafka_topic_prefix + REJECTED,
            clock=clock,
        )
        self._source = KafkaSource(
            consumer=make_consumer(
                settings.kafka_bootstrap_servers,
                client_id=client_id,
                group_id=settings.kafka_topic_prefix + settings.dispatcher_group_id,
                max_records=settings.dispatcher_batch_records,
            ),
            topics=[settings.kafka_topic_prefix + topic for topic in (EVENTS, WEBHOOKS)],
            offsets=SqlConsumedOffsets(self._database),
            clock=clock,
            batch_records=settings.dispatcher_batch_records,
        )
        self._sender = HttpSender(
            clock=clock,
            deadline_s=settings.dispatcher_deadline_s,
            allowed_networks=settings.networks(),
        )
        self._bells = Bells()
        self._progress = Progress(clock)
        targets = Targets(Vault(parse_keys(settings.secret_keys.get_secret_value(), setting="CORO_SECRET_KEYS")))
        due = SqlDueDeliveries(
            database=self._database, targets=targets, clock=clock, lease_s=settings.dispatcher_lease_s
        )
        self._pipeline = self._make_pipeline(targets, due)
        self._upkeep = self._make_upkeep(due)
        self._add_gauges()

    def _make_pipeline(self, targets: Targets, due: SqlDueDeliveries) -> Pipeline:
        settings, clock = self._settings, self._clock
        return Pipeline(
            source=self._source,
            rejects=self._rejects,
            planner=SqlPlanner(
                database=self._database,
                fence=SqlFence(),
                tree=SqlTree(),
                targets=targets,
                clock=clock,
                lease_s=settings.dispatcher_lease_s,
            ),
            lanes=self._lanes,
            due=due,
            sender=self._sender,
            ledger=SqlLedger(database=self._database, clock=clock),
            schedule=RetrySchedule(
                initial_s=settings.dispatcher_retry_initial_s, factor=settings.dispatcher_retry_factor
            ),
            reporter=Reporter(metrics=self._metrics),
            metrics=self._metrics,
            tracing=self._tracing,
            clock=clock,
            bells=self._bells,
            progress=self._progress,
            stopping=self._supervisor.stopping,
            webhooks_topic=settings.kafka_topic_prefix + WEBHOOKS,
            deadline_s=settings.dispatcher_deadline_s,
            claim_interval_s=settings.dispatcher_claim_interval_s,
        )

    def _make_upkeep(self, due: SqlDueDeliveries) -> Upkeep:
        return Upkeep(
            lanes=self._lanes,
            due=due,
            stopped=SqlStoppedDeliveries(self._database),
            replays=SqlReplays(database=self._database, clock=self._clock),
            metrics=self._metrics,
            bells=self._bells,
            progress=self._progress,
            stopping=self._supervisor.stopping,
            interval_s=self._settings.dispatcher_claim_interval_s,
        )

    def _add_gauges(self) -> None:
        lanes, gauge = self._lanes, self._metrics.gauge
        gauge("coro_in_flight", "Attempts under way.", lambda: lanes.in_flight)
        gauge("coro_in_flight_slow", "Attempts under way to slow receivers.", lambda: lanes.slow_in_flight)
        gauge("coro_waiting", "Claimed deliveries waiting in memory.", lambda: lanes.waiting)
        gauge("coro_lanes", "Webhooks with a lane in this process.", lambda: lanes.lanes)
        gauge("coro_lanes_at_limit", "Lanes with work waiting for a permit of their own.", lanes.lanes_at_limit)
        gauge("coro_due", "Deliveries due that nobody holds, up to 100,000.", lambda: self._upkeep.backlog.due)
        gauge(
            "coro_due_oldest_seconds",
            "How long the oldest of those has been due.",
            lambda: self._upkeep.backlog.oldest_s,
        )
        gauge("coro_intake_lag_records", "Records of our partitions that are not read yet.", self._source.lag)
        gauge("coro_intake_partitions", "Partitions that this replica holds.", lambda: self._source.partitions)

    async def run(self) -> int:
        """Run until a signal or a death; return the exit code.

        Raises:
            SchemaBehindError: The database was not migrated for this code.
        """
        self._supervisor.on_signals()
        try:
            await self._connect()
            if self._supervisor.stopping.is_set():
                return 0
            pipeline, upkeep, supervisor = self._pipeline, self._upkeep, self._supervisor
            ops_app = ops.Ops(healthy=self._healthy, ready=self._ready, registry=self._registry)
            supervisor.start("ops", self._serve_ops(ops_app))
            self._progress.expect(self._longest_rounds_s())
            for loop in (
                pipeline.intake,
                pipeline.deliver,
                pipeline.record,
                pipeline.claim,
                upkeep.hold,
                upkeep.replay,
                upkeep.review,
                upkeep.measure,
            ):
                supervisor.start(loop.__name__, loop())
            _log.info("process.started", settings=self._settings.masked())
            return await supervisor.run(pipeline.drain)
        finally:
            await self._close()

    async def _serve_ops(self, app: ops.Ops) -> None:
        await ops.serve(
            app, host=self._settings.ops_host, port=self._settings.ops_port, stopping=self._supervisor.stopping
        )

    async def _connect(self) -> None:
        async def patiently(name: str, work: Callable[[], Awaitable[None]]) -> None:
            await until_it_works(
                work,
                name=name,
                errors=(StoreUnavailableError, BrokerUnavailableError),
                clock=self._clock,
                stopping=self._supervisor.stopping,
            )

        await patiently("connect.database", lambda: require_current_schema(self._database))
        await patiently("connect.rejects", self._rejects.start)
        await patiently("connect.events", self._source.start)

    async def _close(self) -> None:
        closing = {
            "events": self._source.stop(),
            "rejects": self._rejects.stop(),
            "sender": self._sender.close(),
            "database": self._database.dispose(),
        }
        if self._tracing is not None:
            closing["tracing"] = asyncio.to_thread(self._tracing.close)
        tasks = [asyncio.create_task(work, name=name) for name, work in closing.items()]
        _, late = await asyncio.wait(tasks, timeout=CLOSE_WITHIN_S)
        for task in tasks:
            if task in late:
                task.cancel()
                _log.warning("process.close_overrun", what=task.get_name(), limit_s=CLOSE_WITHIN_S)
            elif (error := task.exception()) is not None:
                _log.warning("process.close_failed", what=task.get_name(), error=repr(error))

    def _longest_rounds_s(self) -> Mapping[str, float]:
        """Return how long a round of each loop may take: what it waits by itself, and STUCK_AFTER_S for its work."""
        settings = self._settings
        interval_s = settings.dispatcher_claim_interval_s
        waits_s = {
            "intake": interval_s,
            "deliver": settings.dispatcher_deadline_s,
            "record": 0.0,
            "claim": 2 * interval_s,
            "hold": HOLD_INTERVALS * interval_s,
            "replay": interval_s,
            "review": REVIEW_INTERVAL_S,
            "measure": BACKLOG_INTERVAL_S,
        }
        return {loop: STUCK_AFTER_S + wait_s for loop, wait_s in waits_s.items()}

    async def _healthy(self) -> Mapping[str, str]:
        if not self._progress.stuck():
            return {}
        if await self._is_cut_off():
            # Whom a server keeps waiting is alive, and to start anew would help nobody.
            self._progress.count_anew()
        return {loop: f"has not gone round for {still_s:.0f} s" for loop, still_s in self._progress.stuck().items()}

    async def _is_cut_off(self) -> bool:
        """Tell whether PostgreSQL or Kafka is away: refuses, or accepts and does not answer."""
        try:
            async with asyncio.timeout(AWAY_AFTER_S):
                await require_current_schema(self._database)
                await self._source.look()
        except (StoreUnavailableError, BrokerUnavailableError, TimeoutError):
            return True
        except SchemaBehindError:
            return False
        return False

    async def _ready(self) -> Mapping[str, str]:
        problems = {}
        try:
            await require_current_schema(self._database)
        except CoroError as error:
            problems["database"] = str(error)
        if self._source.partitions == 0:
            problems["kafka"] = "no partition is assigned yet"
        return problems


async def run(settings: DispatcherSettings, clock: Clock) -> int:
    """Make a dispatcher inside the running loop and run it to its end; return the exit code."""
    return await Dispatcher(settings, clock).run()
