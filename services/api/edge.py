"""The outermost layer of every request: its trace id, its one log line, its metrics, and the last resort on errors."""

import re
import uuid
from dataclasses import dataclass
from typing import Any, cast

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coro_events.runtime.clock import Clock
from coro_events.runtime.logs import get_logger
from services.api.metrics import Metrics

TRACE_HEADER = "X-Coro-Trace-Id"
STATE_KEY = "wide"
EVENT_STREAM = "text/event-stream"

_log = get_logger("api")
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(slots=True)
class Wide:
    """What the log line of a request tells beyond its status; rooms fill in what they learn."""

    trace_id: str
    workspace: str | None = None
    client_id: str | None = None


def wide_of(scope: Scope) -> Wide:
    """Return what is known about the request of a scope."""
    return cast("Wide", scope["state"][STATE_KEY])


class Edge:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, *, clock: Clock, metrics: Metrics) -> None:
        self._app = app
        self._clock = clock
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer one request and tell about it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wide = Wide(trace_id=_trace_id(scope))
        scope.setdefault("state", {})[STATE_KEY] = wide
        started_s = self._clock.monotonic()
        # What the caller sees if nothing was sent: the connection breaks off.
        status = 0
        ended_s: float | None = None

        async def send_traced(message: Message) -> None:
            nonlocal status, ended_s
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[TRACE_HEADER] = wide.trace_id
                if headers.get("content-type", "").startswith(EVENT_STREAM):
                    # It goes on for as long as somebody looks; what it took is until it began.
                    ended_s = self._clock.monotonic()
            await send(message)

        try:
            await self._app(scope, receive, send_traced)
        except Exception as error:
            # The application has answered with a problem already; only the log may know more.
            _log.exception("request.failed", trace_id=wide.trace_id, error=type(error).__name__)
            if not status:
                raise
        finally:
            self._tell(scope, wide, status, (ended_s or self._clock.monotonic()) - started_s)

    def _tell(self, scope: Scope, wide: Wide, status: int, duration_s: float) -> None:
        route = _route_of(scope)
        self._metrics.requests.labels(route=route, method=_method_of(scope), status=str(status)).observe(duration_s)
        _log.info(
            "request.handled",
            route=route,
            method=_method_of(scope),
            status=status,
            duration_ms=round(duration_s * 1000, 1),
            trace_id=wide.trace_id,
            workspace=wide.workspace,
            client_id=wide.client_id,
        )


def _trace_id(scope: Scope) -> str:
    """Return the caller's trace id where it sent one (W3C trace context), else a fresh one."""
    for name, value in scope["headers"]:
        if name == b"traceparent" and (match := _TRACEPARENT.fullmatch(value)):
            return match[1].decode()
    return uuid.uuid4().hex


def _route_of(scope: Scope) -> str:
    """Return the route's template: paths and queries hold identifiers, and strangers choose them."""
    route: Any = scope.get("route")
    path = getattr(route, "path", None)
    # The console is an application of its own and knows its paths from there.
    return "unknown" if path is None else f"{scope.get('root_path', '')}{path}"


def _method_of(scope: Scope) -> str:
    method = str(scope["method"])
    return method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"
