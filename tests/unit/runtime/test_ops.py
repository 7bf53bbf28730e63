"""What operators read of a process, asked as a server would ask the application."""

import asyncio
import json
import socket
from collections.abc import Mapping
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter

from coro_events.runtime import ops
from coro_events.runtime.ops import Ops, serve


class Checks:
    """Two checks with answers that the test chooses."""

    def __init__(self) -> None:
        self.problems: dict[str, str] = {}
        self.is_ready = True

    async def healthy(self) -> Mapping[str, str]:
        return self.problems

    async def ready(self) -> Mapping[str, str]:
        return {} if self.is_ready else {"database": "away"}


@pytest.fixture
def checks() -> Checks:
    return Checks()


@pytest.fixture
def app(checks: Checks) -> Ops:
    registry = CollectorRegistry()
    Counter("coro_tests", "Tests.", registry=registry).inc(3)
    return Ops(healthy=checks.healthy, ready=checks.ready, registry=registry)


async def get(app: Ops, path: str) -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "http", "path": path}, receive, send)
    start, body = sent
    headers = dict(start["headers"])
    assert headers[b"content-length"] == str(len(body["body"])).encode()
    return start["status"], headers, body["body"]


async def get_json(app: Ops, path: str) -> tuple[int, dict[str, Any]]:
    status, headers, body = await get(app, path)
    assert headers[b"content-type"] == b"application/json"
    return status, json.loads(body)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_probe_says_ok_when_nothing_is_wrong(app: Ops, path: str) -> None:
    assert await get_json(app, path) == (200, {"status": "ok", "problems": {}})


async def test_each_probe_asks_its_own_check(app: Ops, checks: Checks) -> None:
    checks.is_ready = False
    assert await get_json(app, "/healthz") == (200, {"status": "ok", "problems": {}})
    assert await get_json(app, "/readyz") == (503, {"status": "failing", "problems": {"database": "away"}})


async def test_every_problem_is_named_when_there_are_several(app: Ops, checks: Checks) -> None:
    checks.problems = {"intake": "stuck", "record": "late"}
    assert await get_json(app, "/healthz") == (503, {"status": "failing", "problems": checks.problems})


async def test_probe_fails_when_its_check_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> Mapping[str, str]:
        return await asyncio.Future()

    monkeypatch.setattr(ops, "PROBE_TIMEOUT_S", 0.05)
    app = Ops(healthy=never, ready=never, registry=CollectorRegistry())
    status, body = await get_json(app, "/readyz")
    assert (status, body["problems"]) == (503, {"probe": "no answer within 0.05 s"})


async def test_metrics_are_in_the_format_of_prometheus(app: Ops) -> None:
    status, headers, body = await get(app, "/metrics")
    assert status == 200
    assert headers[b"content-type"].startswith(b"text/plain; version=")
    assert b"coro_tests_total 3.0" in body


@pytest.mark.parametrize("path", ["/", "/health", "/metrics/"])
async def test_nothing_is_found_elsewhere(app: Ops, path: str) -> None:
    assert (await get_json(app, path))[0] == 404


async def test_serving_fails_when_the_port_is_taken(app: Ops) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            await serve(app, host="127.0.0.1", port=port, stopping=asyncio.Event())


async def test_serving_ends_when_the_process_is_to_stop(app: Ops) -> None:
    stopping = asyncio.Event()
    serving = asyncio.ensure_future(serve(app, host="127.0.0.1", port=0, stopping=stopping))
    stopping.set()
    async with asyncio.timeout(10):
        await serving
