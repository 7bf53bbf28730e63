"""The composition root of the config service: makes everything, hands it on, runs it, drains it."""

import asyncio
from functools import partial

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry

from coro_events.errors import StoreUnavailableError
from coro_events.migrate import require_current_schema
from coro_events.runtime.clock import Clock
from coro_events.runtime.kafka import make_producer
from coro_events.runtime.keys import parse_keys
from coro_events.runtime.logs import get_logger
from coro_events.runtime.ops import Ops, serve
from coro_events.runtime.retrying import until_it_works
from coro_events.runtime.supervisor import Supervisor
from coro_events.store.engine import make_engine
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.api import errors
from services.api.access import routes as access_routes
from services.api.access.guard import guard
from services.api.access.service import Access
from services.api.access.sql import SqlCredentials
from services.api.access.tokens import Tokens
from services.api.activity import routes as activity_routes
from services.api.activity.service import Activities
from services.api.activity.sql import SqlActivityLog
from services.api.attention.service import Attention
from services.api.attention.sql import SqlStandings
from services.api.console.paths import HOME
from services.api.console.paths import ROOT as CONSOLE
from services.api.console.site import make_site
from services.api.credentials import routes as credential_routes
from services.api.credentials.service import ApiCredentials
from services.api.credentials.sql import SqlCredentialStore
from services.api.deadline import Deadline
from services.api.deliveries import routes as delivery_routes
from services.api.deliveries.service import Replays, Retries
from services.api.deliveries.sql import SqlReplays, SqlRetries
from services.api.docs import document as documents
from services.api.docs import pages
from services.api.drafts import routes as draft_routes
from services.api.drafts.previewing import Previews
from services.api.drafts.service import Drafts
from services.api.drafts.sql import SqlSentEvents
from services.api.edge import Edge
from services.api.explain import routes as explain_routes
from services.api.explain.service import Explain
from services.api.explain.sql import SqlPast
from services.api.health import Health
from services.api.history import routes as history_routes
from services.api.history.service import Histories
from services.api.history.sql import SqlHistory
from services.api.idempotency.service import Idempotency
from services.api.idempotency.sql import SqlKeys
from services.api.metrics import Metrics
from services.api.publish.kafka import KafkaPublisher
from services.api.publish.relay import Relay
from services.api.publish.sql import SqlOutbox
from services.api.pulse.service import Pulse
from services.api.pulse.sql import SqlOutcomes
from services.api.rooms import Rooms
from services.api.sessions.cookies import Cookies
from services.api.sessions.front import Front
from services.api.sessions.http import HttpProvider
from services.api.sessions.openid import OpenId
from services.api.sessions.passwords import Passwords
from services.api.sessions.ports import Provider
from services.api.sessions.service import Sessions
from services.api.sessions.sql import SqlSessions
from services.api.settings import ApiSettings
from services.api.streams import Live
from services.api.versions import routes as version_routes
from services.api.versions.service import Versions
from services.api.versions.sql import SqlVersions
from services.api.webhooks import routes as webhook_routes
from services.api.webhooks.dns import SystemResolver
from services.api.webhooks.ports import Resolver
from services.api.webhooks.reach import Reach
from services.api.webhooks.rotating import Rotating
from services.api.webhooks.seals import Seals
from services.api.webhooks.service import Webhooks
from services.api.webhooks.showing import Showing
from services.api.webhooks.signing import Signing
from services.api.webhooks.sql import SqlTestResults, SqlWebhooks
from services.api.webhooks.testing import Testing
from services.api.workspaces import routes as workspace_routes
from services.api.workspaces.service import Workspaces
from services.api.workspaces.sql import SqlWorkspaces
from services.api.workspaces.sync import Syncs

SERVICE = "api"
# How long an idle connection of a client is kept; longer than the 60 s of most load balancers in front.
KEEP_ALIVE_S = 65

_log = get_logger(SERVICE)


def make_rooms(
    settings: ApiSettings,
    *,
    database: Database,
    clock: Clock,
    resolver: Resolver,
    stopping: asyncio.Event,
    provider: Provider | None = None,
) -> Rooms:
    """Make the services that answer requests; without a provider nobody signs in by OpenID Connect.

    Raises:
        SettingsError: The keys cannot be read.
    """
    vault = Vault(parse_keys(settings.secret_keys.get_secret_value(), setting="CORO_SECRET_KEYS"))
    store, seals = SqlWebhooks(database), Seals(vault)
    showing = Showing(store=store, seals=seals, clock=clock)
    reach = Reach(resolver=resolver, allowed=settings.networks())
    return Rooms(
        access=_access(settings, database=database, clock=clock),
        credentials=ApiCredentials(store=SqlCredentialStore(database), clock=clock),
        webhooks=Webhooks(
            store=store,
            showing=showing,
            seals=seals,
            clock=clock,
            reach=reach,
            allow_http=settings.allows_http(),
        ),
        rotating=Rotating(store=store, seals=seals, clock=clock),
        idempotency=Idempotency(keys=SqlKeys(database), vault=vault, clock=clock),
        testing=Testing(
            store=store,
            results=SqlTestResults(database),
            clock=clock,
            wait_s=settings.api_test_wait_s,
            stopping=stopping,
        ),
        replays=Replays(store=SqlReplays(database), clock=clock, retention_days=settings.retention_days),
        retries=Retries(store=SqlRetries(database), clock=clock),
        histories=Histories(
            deliveries=SqlHistory(database), vault=vault, clock=clock, retention_days=settings.retention_days
        ),
        explain=Explain(past=SqlPast(database), clock=clock, retention_days=settings.retention_days),
        activities=Activities(log=SqlActivityLog(database)),
        workspaces=Workspaces(store=SqlWorkspaces(database), clock=clock),
        syncs=Syncs(store=SqlWorkspaces(database), clock=clock),
        sessions=Sessions(
            store=SqlSessions(database), passwords=Passwords(), clock=clock, life=settings.session_life()
        ),
        openid=_openid(settings, database=database, clock=clock, provider=provider),
        front=Front(Cookies(secure=settings.has_https()), clock, origin=settings.console_origin()),
        pulse=Pulse(outcomes=SqlOutcomes(database), clock=clock),
        versions=Versions(store=SqlVersions(database), clock=clock),
        drafts=Drafts(store=store, showing=showing, seals=seals, clock=clock, reach=reach),
        previews=Previews(store=store, sent=SqlSentEvents(database), clock=clock),
        attention=Attention(standings=SqlStandings(database), clock=clock),
        signing=Signing(store=store, seals=seals),
        live=Live(clock=clock, stopping=stopping),
    )


def _access(settings: ApiSettings, *, database: Database, clock: Clock) -> Access:
    token_keys = parse_keys(settings.token_keys.get_secret_value(), setting="CORO_TOKEN_KEYS")
    return Access(
        credentials=SqlCredentials(database),
        tokens=Tokens(token_keys, life_s=settings.api_token_life_s, clock=clock),
        clock=clock,
        requests=settings.requests(clock),
        audiences=settings.audiences(),
    )


def _openid(settings: ApiSettings, *, database: Database, clock: Clock, provider: Provider | None) -> OpenId | None:
    client = settings.openid_client()
    if client is None or provider is None:
        return None
    keys = parse_keys(settings.token_keys.get_secret_value(), setting="CORO_TOKEN_KEYS")
    key = next(iter(keys.values()))
    return OpenId(client=client, provider=provider, store=SqlSessions(database), key=key, clock=clock)


def make_web(rooms: Rooms) -> FastAPI:
    """Make the web application: the API, and the console below /portal."""
    app = make_routes()
    app.state.rooms = rooms
    app.mount(CONSOLE, make_site(rooms))

    async def start(_: Request) -> Response:
        return RedirectResponse(HOME, status_code=303)

    for path in ("/", CONSOLE):
        app.add_route(path, start, methods=["GET"], include_in_schema=False)
    return app


def make_routes() -> FastAPI:
    """Make the web application without the rooms that answer: it knows its paths and describes them."""
    app = FastAPI(
        title="Coro Webhooks",
        summary="Manage webhooks: what happens in workspaces, told signed and reliably.",
        version="1",
        # The framework's own pages need scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    errors.install(app)
    # Sign-in is the one route outside; a room joins `guarded` and nothing else.
    app.include_router(access_routes.router)
    guarded = APIRouter(dependencies=[Depends(guard)])
    guarded.include_router(credential_routes.router)
    guarded.include_router(webhook_routes.router)
    guarded.include_router(delivery_routes.router)
    guarded.include_router(history_routes.router)
    guarded.include_router(explain_routes.router)
    guarded.include_router(activity_routes.router)
    guarded.include_router(workspace_routes.router)
    guarded.include_router(version_routes.router)
    guarded.include_router(draft_routes.router)
    app.include_router(guarded)
    documents.complete(app)
    pages.install(app)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.operation_id or route.name


def _make_database(url: str, connections: int) -> Database:
    readers = connections // 2
    return Database(
        make_engine(url, application_name="coro-api", pool_size=connections - readers),
        reading=make_engine(url, application_name="coro-api", pool_size=readers, read_only=True),
    )


async def run(settings: ApiSettings, clock: Clock) -> int:
    """Run the service until a signal; return its exit code.

    Raises:
        SettingsError: The keys cannot be read.
        SchemaBehindError: The database must be migrated first.
        StoreUnavailableError: It was asked to stop before it ever reached the database.
        OSError: A port is taken.
    """
    supervisor = Supervisor(drain_s=settings.api_drain_s)
    supervisor.on_signals()
    url = settings.database_url.get_secret_value()
    database = _make_database(url, settings.api_pool_size)
    relay_engine = make_engine(url, application_name="coro-api-relay", pool_size=0)
    resolver, provider = SystemResolver(), HttpProvider()
    try:
        rooms = make_rooms(
            settings,
            database=database,
            clock=clock,
            resolver=resolver,
            stopping=supervisor.stopping,
            provider=provider,
        )
        await _wait_for_schema(database, clock, supervisor.stopping)
        metrics = Metrics(CollectorRegistry())
        relay = Relay(
            outbox=SqlOutbox(relay_engine),
            publisher=KafkaPublisher(
                partial(make_producer, settings.kafka_bootstrap_servers, client_id="coro-api-relay"),
                topic_prefix=settings.kafka_topic_prefix,
            ),
            clock=clock,
            metrics=metrics,
            poll_s=settings.api_relay_poll_s,
        )
        limit_s = settings.api_request_limit_s + settings.api_test_wait_s
        web = Edge(Deadline(make_web(rooms), limit_s=limit_s), clock=clock, metrics=metrics)
        health = Health(database=database, relay=relay)
        ops = Ops(healthy=health.healthy, ready=health.ready, registry=metrics.registry)
        _start(supervisor, settings, web=web, ops=ops, relay=relay)
        _log.info("process.started", host=settings.api_host, port=settings.api_port, ops_port=settings.ops_port)
        return await supervisor.run()
    finally:
        resolver.close()
        await provider.close()
        await relay_engine.dispose()
        await database.dispose()
        _log.info("process.stopped")


def _start(supervisor: Supervisor, settings: ApiSettings, *, web: Edge, ops: Ops, relay: Relay) -> None:
    requests_over = asyncio.Event()

    async def answer_requests() -> None:
        try:
            await serve(
                web,
                host=settings.api_host,
                port=settings.api_port,
                stopping=supervisor.stopping,
                http="httptools",
                timeout_keep_alive=KEEP_ALIVE_S,
                server_header=False,
            )
        finally:
            # Only now: the last requests may have left messages in the outbox.
            requests_over.set()

    supervisor.start("http", answer_requests())
    supervisor.start("relay", relay.run(requests_over))
    supervisor.start("ops", serve(ops, host=settings.ops_host, port=settings.ops_port, stopping=supervisor.stopping))


async def _wait_for_schema(database: Database, clock: Clock, stopping: asyncio.Event) -> None:
    """Wait for the database to come up, then refuse to go on with a schema that is behind."""
    await until_it_works(
        partial(require_current_schema, database),
        name="look at the schema",
        errors=(StoreUnavailableError,),
        clock=clock,
        stopping=stopping,
    )
