"""/healthz (progress), /readyz (dependencies) and /metrics of a process."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

# Name of the dependency or loop to what is wrong with it; empty where all is well.
Check = Callable[[], Awaitable[Mapping[str, str]]]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PROBE_TIMEOUT_S = 5.0


class Ops:
    """The small HTTP face that operators and orchestrators read."""

    def __init__(self, *, healthy: Check, ready: Check, registry: CollectorRegistry) -> None:
        self._checks = {"/healthz": healthy, "/readyz": ready}
        self._registry = registry

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        del receive
        if scope["type"] != "http":
            return
        if scope["path"] == "/metrics":
            await _answer(send, 200, CONTENT_TYPE_LATEST, generate_latest(self._registry))
            return
        check = self._checks.get(scope["path"])
        if check is None:
            await _answer(send, 404, "application/json", b'{"status":"not found"}')
            return
        problems = await _within_limit(check)
        body = json.dumps({"status": "failing" if problems else "ok", "problems": dict(problems)}).encode()
        await _answer(send, 503 if problems else 200, "application/json", body)


async def _within_limit(check: Check) -> Mapping[str, str]:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            return await check()
    except TimeoutError:
        return {"probe": f"no answer within {PROBE_TIMEOUT_S:g} s"}


async def _answer(send: Send, status: int, content_type: str, body: bytes) -> None:
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _QuietServer(uvicorn.Server):
    """A uvicorn server inside a process whose supervisor owns the signals."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override] # the base is a generator
        """Leave the signals alone."""
        return nullcontext()


async def serve(app: Any, *, host: str, port: int, stopping: asyncio.Event, **options: Any) -> None:
    """Serve an ASGI application until `stopping` is set; `options` go to uvicorn.

    Raises:
        OSError: The port is taken.
    """
    listener = socket.create_server((host, port), backlog=2048)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, timeout_graceful_shutdown=5, **{"lifespan": "off", **options}
    )
    server = _QuietServer(config)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    waiting = asyncio.ensure_future(stopping.wait())
    await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    waiting.cancel()
    await serving
