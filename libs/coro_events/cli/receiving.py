"""A receiver for development: an ASGI application that verifies each delivery and hands on what it saw."""

import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict, dataclass
from typing import Any

from coro_events.cli.verify import faults
from coro_events.runtime.clock import Clock

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_BODY_BYTES = 4 * 1024 * 1024
# Hook ids whose attempts are counted; the oldest is forgotten first.
REMEMBERED_HOOKS = 10_000


@dataclass(frozen=True, slots=True)
class Received:
    """One request that arrived.

    Attributes:
        hook_id: X-Coro-Hook-Id.
        type: X-Coro-Hook-Type.
        workspace_id: Where the event happened, from the body.
        verified: Whether all signatures are right; none when no secret was given.
        faults: What is wrong with it.
        received_at: RFC 3339, UTC.
        attempt: How often this hook id has arrived, this time included.
        status: What it is answered with.
        body_bytes: Length of the body.
        body: The body as parsed JSON; none unless asked for.
    """

    hook_id: str
    type: str
    workspace_id: str
    verified: bool | None
    faults: list[str]
    received_at: str
    attempt: int
    status: int
    body_bytes: int
    body: Any = None

    def as_document(self) -> dict[str, Any]:
        """Return it as a JSON object; without the body unless there is one."""
        document = asdict(self)
        if self.body is None:
            del document["body"]
        return document


class Receiver:
    """Answers every POST with one status, after an optional delay.

    Args:
        secret: The webhook's secret; without one nothing is verified.
        status: What to answer.
        delay_s: How long to wait before the answer.
        keep_body: Hand on the body too.
        clock: Time, and the delay.
        report: Takes what arrived, before it is answered.
    """

    def __init__(
        self,
        *,
        secret: str | None,
        status: int,
        delay_s: float,
        keep_body: bool,
        clock: Clock,
        report: Callable[[Received], None],
    ) -> None:
        self._secret = secret
        self._status = status
        self._delay_s = delay_s
        self._keep_body = keep_body
        self._clock = clock
        self._report = report
        self._seen: OrderedDict[str, int] = OrderedDict()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Take one request, as ASGI has it."""
        if scope["type"] != "http":
            return
        if scope["method"] != "POST":
            await _respond(send, 405, b'{"detail":"send a POST"}')
            return
        body = await _read(receive)
        if body is None:
            await _respond(send, 413, b'{"detail":"the body is too long"}')
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        self._report(self._received(headers, body))
        if self._delay_s:
            await self._clock.sleep(self._delay_s)
        await _respond(send, self._status, b"{}")

    def _received(self, headers: dict[str, str], body: bytes) -> Received:
        now = self._clock.now()
        document = _parsed(body)
        hook_id = headers.get("x-coro-hook-id", "")
        found = [] if self._secret is None else faults(headers, body, self._secret, now)
        if "id" in document and document["id"] != hook_id:
            found.append("the id in the body differs from X-Coro-Hook-Id")
        return Received(
            hook_id=hook_id,
            type=headers.get("x-coro-hook-type", ""),
            workspace_id=_workspace_of(document),
            verified=None if self._secret is None else not found,
            faults=found,
            received_at=now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            attempt=self._count(hook_id),
            status=self._status,
            body_bytes=len(body),
            body=document if self._keep_body else None,
        )

    def _count(self, hook_id: str) -> int:
        self._seen[hook_id] = self._seen.pop(hook_id, 0) + 1
        if len(self._seen) > REMEMBERED_HOOKS:
            self._seen.popitem(last=False)
        return self._seen[hook_id]


async def _read(receive: Receive) -> bytes | None:
    """Return the body, or nothing when it is too long or the sender went away."""
    parts: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part: bytes = message.get("body", b"")
        length += len(part)
        if length > MAX_BODY_BYTES:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


async def _respond(send: Send, status: int, body: bytes) -> None:
    # A response with one of these codes has no body, and a length would promise one.
    empty = status in {204, 304}
    headers = [] if empty else [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if empty else body})


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _workspace_of(document: dict[str, Any]) -> str:
    """Return the workspace id, which stands in `workspaceId` in version 1 and in `workspace.id` later."""
    inner = document.get("workspace")
    found = document.get("workspaceId", inner.get("id") if isinstance(inner, dict) else None)
    return found if isinstance(found, str) else ""
