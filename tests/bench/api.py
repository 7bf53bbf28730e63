"""What the API carries with one process, beside a bare FastAPI route of the same run."""

import asyncio
import hashlib
import itertools
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
from sqlalchemy import insert, text

from coro_events.runtime.clock import SystemClock
from coro_events.store.partitions import make_partitions
from coro_events.store.tables import api_credentials
from tests.bench.figures import Figure, percentile
from tests.support.load import make_tree
from tests.support.makers import TEST_KEYS
from tests.support.processes import free_port, running
from tests.support.stand import Stand
from tests.support.waiting import wait_until

SCENARIO = "REST, one process"
WEBHOOKS = "/v1/settings/webhooks"
CLIENTS = 16
PAGE = 50
FEW, MANY = 1_000, 1_000_000
DAYS = 7
SECRET = "the secret of a client that only measures"

# Method, path, workspace and body of the request of a number.
Request = Callable[[int], tuple[str, str, str, "dict[str, Any] | None"]]


@dataclass(frozen=True)
class Taken:
    """What a round of requests took."""

    per_s: float
    p50_ms: float
    p99_ms: float


async def api(stand: Stand, *, requests: int = 2_000, few: int = FEW, many: int = MANY) -> list[Figure]:
    """Time the bare route, then each operation; the history before and after it has grown to a million."""
    # As many as get fifty webhooks each, which is what a workspace may have.
    children = (requests + requests // 10) // PAGE
    await make_tree(stand, [], children=children)
    await _insert_credential(stand)
    bare_port, port = free_port(), free_port()
    with (
        running("tests.bench.bare", str(bare_port), environ={}),
        running("services.api", environ=process_environment(stand, port)),
    ):
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CLIENTS)) as session:
            bare, ours = (_Client(session, f"http://127.0.0.1:{number}") for number in (bare_port, port))
            await asyncio.gather(bare.answers(), ours.answers())
            floor = await bare.take(requests, lambda _: ("GET", "/", "", None))
            taken = {"token": await ours.take(requests // 2, lambda _: ("POST", "/oauth/token", "", _sign_in()))}
            ours.token = (await ours.call("POST", "/oauth/token", "", _sign_in()))["access_token"]
            taken["create a webhook"] = await ours.take(
                requests, lambda number: _creating(f"ws{number % children}"), expected=201
            )
            (webhook,) = (await ours.call("GET", f"{WEBHOOKS}?pageSize=1", "ws0", None))["items"]
            one = f"{WEBHOOKS}/{webhook['id']}"
            taken["read a webhook"] = await ours.take(requests, lambda _: ("GET", one, "ws0", None))
            taken[f"list of {PAGE} webhooks"] = await ours.take(
                requests // 4, lambda number: ("GET", f"{WEBHOOKS}?pageSize={PAGE}", f"ws{number % children}", None)
            )
            page: Request = lambda _: ("GET", f"{one}/deliveries?pageSize={PAGE}", "ws0", None)  # noqa: E731 - beside its uses
            await _fill(stand, webhook["id"], few)
            small = await ours.take(requests // 4, page)
            await _fill(stand, webhook["id"], many - few)
            large = await ours.take(requests // 4, page)
    return [*_figures(taken, floor), *_history(small, large, floor)]


class _Client:
    """Calls one server, always so many at once."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self.token = ""

    async def answers(self) -> None:
        """Wait until somebody answers there."""

        async def look() -> bool:
            try:
                async with self._session.get(self._url + "/") as answer:
                    return answer.status < 500
            except aiohttp.ClientError:
                return False

        await wait_until(look, what=f"a server at {self._url}", limit_s=30, every_s=0.1)

    async def call(
        self, method: str, path: str, workspace: str, body: dict[str, Any] | None, *, expected: int = 200
    ) -> Any:
        """Call and return the answer's body."""
        headers = {"Authorization": f"Bearer {self.token}", "Workspace": workspace} if self.token else {}
        async with self._session.request(method, self._url + path, json=body, headers=headers) as answer:
            told = await answer.read()
        assert answer.status == expected, f"{method} {path}: {answer.status} {told[:500]!r}"
        return json.loads(told)

    async def take(self, count: int, request: Request, *, expected: int = 200) -> Taken:
        """Time so many requests; a tenth more goes ahead and does not count."""
        ahead = count // 10
        await self._take(range(ahead), request, expected)
        started = time.perf_counter()
        took_ms = await self._take(range(ahead, ahead + count), request, expected)
        per_s = count / (time.perf_counter() - started)
        return Taken(per_s, percentile(took_ms, 0.5), percentile(took_ms, 0.99))

    async def _take(self, numbers: range, request: Request, expected: int) -> list[float]:
        left, took_ms = iter(numbers), []

        async def work() -> None:
            for number in left:
                begun = time.perf_counter()
                await self.call(*request(number), expected=expected)
                took_ms.append((time.perf_counter() - begun) * 1e3)

        await asyncio.gather(*(work() for _ in range(CLIENTS)))
        return took_ms


def _figures(taken: dict[str, Taken], floor: Taken) -> list[Figure]:
    figures = [
        Figure(SCENARIO, "a bare FastAPI route", floor.per_s, "requests/s"),
        Figure(SCENARIO, "a bare FastAPI route, p99", floor.p99_ms, "ms"),
    ]
    for name, one in taken.items():
        figures += [
            Figure(SCENARIO, name, one.per_s, "requests/s", floor.per_s),
            Figure(SCENARIO, f"{name}, p99", one.p99_ms, "ms", floor.p99_ms),
        ]
    return figures


def _history(small: Taken, large: Taken, floor: Taken) -> list[Figure]:
    ratio = large.p50_ms / small.p50_ms
    return [
        Figure(SCENARIO, f"page of {PAGE} in {FEW:,} deliveries", small.per_s, "requests/s", floor.per_s),
        Figure(SCENARIO, f"page of {PAGE} in {MANY:,} deliveries", large.per_s, "requests/s", floor.per_s),
        Figure(SCENARIO, f"page of {PAGE} in {MANY:,} deliveries, p99", large.p99_ms, "ms", floor.p99_ms),
        Figure(SCENARIO, "ratio of the two pages, by p50", ratio, "x", 1.0, "≤ 1.5", ratio <= 1.5),
    ]


def _sign_in() -> dict[str, Any]:
    return {
        "client_id": "bench",
        "client_secret": SECRET,
        "audience": "https://api.secure.coro.net",
        "grant_type": "client_credentials",
    }


_names = itertools.count()


def _creating(workspace: str) -> tuple[str, str, str, dict[str, Any]]:
    body = {
        "name": f"Webhook {next(_names)}",
        "applyToAllDescendants": False,
        "url": "https://127.0.0.1:9/hook",
        "secret": "0123456789abcdef0123456789abcdef",
        "headers": {"Authorization": "Bearer of the receiver"},
        "triggers": ["workspaceCreated.v1", "protectedUsersAdded.v1"],
    }
    return "POST", WEBHOOKS, workspace, body


def process_environment(stand: Stand, port: int) -> dict[str, str]:
    """Return the variables of an API process on a stand."""
    return {
        "CORO_ENVIRONMENT": "test",
        "CORO_DATABASE_URL": stand.database_url,
        "CORO_KAFKA_BOOTSTRAP_SERVERS": stand.kafka_bootstrap,
        "CORO_KAFKA_TOPIC_PREFIX": stand.prefix,
        "CORO_SECRET_KEYS": TEST_KEYS,
        "CORO_TOKEN_KEYS": TEST_KEYS,
        "CORO_ALLOWED_NETWORKS": "127.0.0.0/8",
        "CORO_API_PORT": str(port),
        "CORO_OPS_PORT": str(free_port()),
        # What one process carries is to be seen, not what it lets one client have.
        "CORO_API_REQUESTS_PER_S": "0",
    }


async def _insert_credential(stand: Stand) -> None:
    async with stand.database.write() as connection:
        await connection.execute(
            insert(api_credentials).values(
                id=uuid.uuid4(),
                client_id="bench",
                secret_hash=hashlib.sha256(SECRET.encode()).digest(),
                name="Bench",
                workspace_id="root",
                role="administrator",
            )
        )


async def _fill(stand: Stand, webhook_id: str, rows: int) -> None:
    """Add deliveries of a week to a webhook, each with its event and its attempt."""
    today = SystemClock().now().date()
    async with stand.database.write() as connection:
        await make_partitions(connection, today - timedelta(days=DAYS), today)
    given = {"webhook_id": uuid.UUID(webhook_id), "rows": rows, "days": DAYS}
    async with stand.database.autocommit() as connection:
        await connection.execute(text("set statement_timeout = 0"))
        await connection.execute(_FILL, given)
        await connection.execute(text("vacuum analyze"))


_FILL = text(
    """
    with made as materialized (
        select gen_random_uuid() as id, gen_random_uuid() as hook_id, at, cast(at at time zone 'UTC' as date) as day
        from (
            select now() - make_interval(secs => 86400.0 * :days * i / :rows) as at from generate_series(0, :rows - 1) i
        ) as moments
    ), happened as (
        insert into events (day, id, source, source_id, workspace_id, type, occurred_at, data)
        select day, id, 'coro/bench', cast(id as text), 'ws0', 'protected-users-added', at, '{}' from made
    ), tried as (
        insert into attempts (day, hook_id, number, webhook_id, started_at, duration_ms, outcome, status)
        select day, hook_id, 1, cast(:webhook_id as uuid), at, 12, 'delivered', 200 from made
    )
    insert into deliveries (day, webhook_id, event_id, hook_id, workspace_id, state, attempts, due_at, created_at,
        finished_at)
    select day, cast(:webhook_id as uuid), id, hook_id, 'ws0', 'delivered', 1, at, at, at from made
    """
)
