"""The sender: one deadline, no redirects, a capped answer, and every failure of a stranger an ordinary outcome."""

import asyncio
import re
import ssl
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

from yarl import URL

from coro_events.rules.addresses import ForbiddenAddressError, Network
from coro_events.runtime.clock import Clock
from services.dispatcher.deliver.classification import of_failure, of_status
from services.dispatcher.deliver.connection import KEPT_BYTES, ClosedError, Connection, MalformedAnswerError, Reply
from services.dispatcher.deliver.deadlines import Deadlines
from services.dispatcher.deliver.outcome import Answer, Outcome
from services.dispatcher.deliver.pool import Lookup, Origin, Pool, UnreachableError, look_up
from services.dispatcher.deliver.request import Request

# What a header's name may be made of (RFC 9110, section 5.1).
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_RETRY_AFTER = re.compile(rb"^retry-after[ \t]*:[ \t]*(.*?)[ \t\r]*$", re.IGNORECASE | re.MULTILINE)

# The version and a blank, before the status.
_VERSION_LENGTH = len("HTTP/1.1 ")


class _Endpoint(NamedTuple):
    """A URL, taken apart."""

    origin: Origin
    # Request line and Host.
    start: str


class HttpSender:
    """Sends requests; made inside the running loop, closed by `close`."""

    def __init__(
        self,
        *,
        clock: Clock,
        deadline_s: float,
        allowed_networks: Sequence[Network],
        ssl_context: ssl.SSLContext | None = None,
        lookup: Lookup = look_up,
    ) -> None:
        self._clock = clock
        self._deadline_s = deadline_s
        self._loop = asyncio.get_running_loop()
        tls = ssl_context or ssl.create_default_context()
        self._pool = Pool(tls=tls, allowed=allowed_networks, lookup=lookup)
        self._deadlines = Deadlines(self._loop, deadline_s)

    async def close(self) -> None:
        """Close every connection."""
        self._deadlines.close()
        await self._pool.close()

    async def send(self, request: Request) -> Answer:
        """Send within the deadline; every failure of a stranger is an ordinary answer."""
        try:
            endpoint = _endpoint(request.url)
            message = _message(endpoint, request)
            used = self._pool.take(endpoint.origin)
            if used is None:
                return await self._connect_and_send(endpoint.origin, message, self._loop.time())
            return await self._send_again(used, endpoint.origin, message)
        except (MalformedAnswerError, UnreachableError, OSError, ValueError) as error:
            return Answer(of_failure(error), detail=_detail(error))

    async def _send_again(self, used: Connection, origin: Origin, message: bytes) -> Answer:
        """Send on a connection that carried requests before."""
        began = self._loop.time()
        waiter = used.exchange(message)
        self._deadlines.add(waiter)
        try:
            reply = await waiter
        except ClosedError as error:
            if error.begun:
                raise
            # The receiver closed an idle connection just as we used it: no failure of its, so no attempt is lost.
            return await self._connect_and_send(origin, message, began)
        except TimeoutError:
            return self._timed_out(used)
        except asyncio.CancelledError:
            used.abort()
            raise
        finally:
            self._deadlines.remove(waiter)
        if used.reusable:
            self._pool.keep(origin, used)
        return self._answer(reply)

    async def _connect_and_send(self, origin: Origin, message: bytes, began: float) -> Answer:
        infos = connection = None
        try:
            async with asyncio.timeout_at(began + self._deadline_s):
                infos = await self._pool.resolve(origin)
                connection = await self._pool.open(origin, infos)
                reply = await connection.exchange(message)
        except TimeoutError:
            if infos is None:
                return Answer(Outcome.NAME_UNRESOLVED, detail=self._passed("looking up the host's name"))
            return self._timed_out(connection)
        except asyncio.CancelledError:
            if connection is not None:
                connection.abort()
            raise
        if connection.reusable:
            self._pool.keep(origin, connection)
        return self._answer(reply)

    def _timed_out(self, connection: Connection | None) -> Answer:
        phase = "connecting"
        if connection is not None:
            phase = "waiting for the answer"
            if connection.begun:
                phase = "reading the body" if connection.headed else "reading the headers"
            connection.abort()
        return Answer(Outcome.TIMED_OUT, detail=self._passed(phase))

    def _passed(self, phase: str) -> str:
        return f"The deadline of {self._deadline_s:g} s passed while {phase}."

    def _answer(self, reply: Reply) -> Answer:
        outcome = of_status(reply.status)
        head = reply.head[_VERSION_LENGTH : _VERSION_LENGTH + 2 * KEPT_BYTES].replace(b"\r\n", b"\n")
        return Answer(
            outcome=outcome,
            status=reply.status,
            head=_text(head[:KEPT_BYTES]),
            body=_text(reply.body) if reply.body else None,
            retry_after_s=self._retry_after(reply.head) if outcome is Outcome.BUSY else None,
        )

    def _retry_after(self, head: bytes) -> float | None:
        """Return what `Retry-After` asks for, in seconds; it is a number or an HTTP date."""
        found = _RETRY_AFTER.search(head)
        if found is None:
            return None
        value = found[1].decode("ascii", "replace")
        if value.isascii() and value.isdigit():
            return float(min(int(value[:10]), 10**9))
        try:
            return max(0.0, (parsedate_to_datetime(value) - self._clock.now()).total_seconds())
        except (ValueError, TypeError, OverflowError):
            return None


@lru_cache(maxsize=10_000)
def _endpoint(url: str) -> _Endpoint:
    """Take a URL apart, as the customer wrote it: a signed query must not be quoted anew on its way.

    Raises:
        ValueError: No request can be made of it.
    """
    parts = URL(url, encoded=url.isascii())
    host, port, target = parts.raw_host, parts.port, parts.raw_path_qs or "/"
    if parts.scheme not in {"http", "https"} or not host or not port:
        raise ValueError("the URL must be http or https and name a host")
    named = parts.host_port_subcomponent or host
    if not (target + named).isascii() or not (target + named).isprintable() or " " in target + named:
        raise ValueError("the URL holds characters that no request can hold")
    return _Endpoint(Origin(host, port, parts.scheme == "https"), f"POST {target} HTTP/1.1\r\nHost: {named}\r\n")


# Names of headers that were found sound; the same few come with every request.
_sound_names: set[str] = set()
_MOST_NAMES = 10_000


def _message(endpoint: _Endpoint, request: Request) -> bytes:
    """Return the bytes of a request.

    Raises:
        ValueError: A header would break the message.
    """
    headers, body = request.headers, request.body
    if not headers.keys() <= _sound_names:
        _check_names(headers)
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if lines.count("\n") != len(headers) or lines.count("\r") != len(headers) or "\0" in lines:
        raise ValueError("a header's value must not hold line ends or NUL")
    return b"%b%bContent-Length: %d\r\n\r\n%b" % (endpoint.start.encode(), lines.encode(), len(body), body)


def _check_names(headers: Mapping[str, str]) -> None:
    for name in headers:
        if not _NAME.fullmatch(name):
            raise ValueError("a header's name must be a token")
    if len(_sound_names) < _MOST_NAMES:
        _sound_names.update(headers)


def _text(raw: bytes) -> str:
    """Return what PostgreSQL can keep: UTF-8 without NUL."""
    return raw.decode("utf-8", "replace").replace("\x00", "\ufffd")


def _detail(error: BaseException) -> str | None:
    """Return which rule of ours was broken; what a library says may name addresses and is not shown."""
    return f"The rule: {error.rule}." if isinstance(error, ForbiddenAddressError) else None
