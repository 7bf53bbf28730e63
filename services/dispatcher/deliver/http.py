"""HTTP by aiohttp: one deadline, no redirects, a capped answer, and the address that is really called.

Why aiohttp and not the ecosystem's favourite: docs/decisions/0001-http-client-of-the-hot-path.md.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import AddrInfoType, Connection
from yarl import URL

from coro_events.rules.addresses import ForbiddenAddressError, Network, forbidden_rule
from coro_events.runtime.clock import Clock
from services.dispatcher.deliver.outcome import Answer, Outcome, of_status
from services.dispatcher.deliver.request import Request

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler

# Read of an answer before the connection is given up, and kept of it.
READ_BYTES = 64 * 1024
KEPT_BYTES = 4 * 1024

# Whether the connection of the request at hand had carried one before; none while it has no connection.
_reused: ContextVar[bool | None] = ContextVar("reused", default=None)


class _Reading:
    """Whether an answer has begun to come."""

    __slots__ = ("begun",)

    def __init__(self) -> None:
        self.begun = False


class _Connector(aiohttp.TCPConnector):
    """Remembers which connections were used before."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._used: WeakSet[ResponseHandler] = WeakSet()

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the name is aiohttp's
    ) -> Connection:
        """Return a connection, noting whether it is fresh."""
        connection = await super().connect(req, traces, timeout)
        if connection.protocol is not None:
            reused = connection.protocol in self._used
            _reused.set(reused)
            if not reused:
                self._used.add(connection.protocol)
        return connection


class AiohttpSender:
    """Sends requests; made inside the running loop, closed by `close`."""

    def __init__(
        self,
        *,
        clock: Clock,
        deadline_s: float,
        allowed_networks: Sequence[Network],
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._clock = clock
        self._deadline_s = deadline_s
        self._allowed = allowed_networks
        context = ssl_context or ssl.create_default_context()
        self._session = self._make_session(context, force_close=False)
        self._fresh_session = self._make_session(context, force_close=True)

    def _make_session(self, context: ssl.SSLContext, *, force_close: bool) -> aiohttp.ClientSession:
        # The lanes bound what is in flight; a second bound here would only hide who waits for whom.
        connector = _Connector(limit=0, ssl=context, socket_factory=self._open_socket, force_close=force_close)
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            # Nobody reads the body but a person in the history: no compression, no negotiation.
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
            max_line_size=16 * 1024,
            max_field_size=32 * 1024,
        )

    def _open_socket(self, info: AddrInfoType) -> socket.socket:
        """Open the socket of one address, after a look at the address itself.

        Here and nowhere earlier: a name may give another answer between a check and its use.
        """
        family, kind, protocol, _, address = info
        rule = forbidden_rule(str(address[0]), self._allowed)
        if rule is not None:
            raise ForbiddenAddressError(rule)
        return socket.socket(family=family, type=kind, proto=protocol)

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()
        await self._fresh_session.close()

    async def send(self, request: Request) -> Answer:
        """Send within the deadline; every failure of a stranger is an ordinary answer."""
        reused = _reused.set(None)
        reading = _Reading()
        try:
            async with asyncio.timeout(self._deadline_s):
                try:
                    return await self._exchange(self._session, request, reading)
                except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                    if isinstance(error, aiohttp.ClientConnectorError) or not _reused.get() or reading.begun:
                        raise
                # The receiver closed an idle connection just as we used it: no failure of its, so no attempt is lost.
                return await self._exchange(self._fresh_session, request, reading)
        except TimeoutError:
            connected = "waiting for the answer" if _reused.get() is not None else "connecting"
            phase = "reading the answer" if reading.begun else connected
            return Answer(Outcome.TIMED_OUT, detail=f"The deadline of {self._deadline_s:g} s passed while {phase}.")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(classify(error), detail=_detail(error))
        finally:
            _reused.reset(reused)

    async def _exchange(self, session: aiohttp.ClientSession, request: Request, reading: "_Reading") -> Answer:
        async with session.post(
            _as_stored(request.url), data=request.body, headers=request.headers, allow_redirects=False
        ) as response:
            reading.begun = True
            body = await _read(response)
            status = response.status
            return Answer(
                outcome=of_status(status),
                status=status,
                head=_head(response),
                body=_text(body) if body else None,
                retry_after_s=self._retry_after(response.headers.get("Retry-After")),
            )

    def _retry_after(self, value: str | None) -> float | None:
        """Return what `Retry-After` asks for, in seconds; it is a number or an HTTP date."""
        if value is None:
            return None
        if value.strip().isascii() and value.strip().isdigit():
            return float(min(int(value.strip()[:10]), 10**9))
        try:
            return max(0.0, (parsedate_to_datetime(value) - self._clock.now()).total_seconds())
        except (ValueError, TypeError, OverflowError):
            return None


@lru_cache(maxsize=10_000)
def _as_stored(url: str) -> URL:
    """Return the URL as the customer wrote it: a signed query must not be quoted anew on its way."""
    return URL(url, encoded=url.isascii())


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Read up to the cap; the rest of a longer answer is not waited for."""
    if response.content.at_eof():
        return b""
    chunks, size = [], 0
    while size < READ_BYTES and (chunk := await response.content.readany()):
        chunks.append(chunk[: KEPT_BYTES - size] if size < KEPT_BYTES else b"")
        size += len(chunk)
    if size >= READ_BYTES:
        response.close()
    return b"".join(chunks)


def _head(response: aiohttp.ClientResponse) -> str:
    lines = [b"%b: %b" % pair for pair in response.raw_headers]
    return _text(b"\n".join([f"{response.status} {response.reason or ''}".encode(), *lines])[:KEPT_BYTES])


def _text(raw: bytes) -> str:
    """Return what PostgreSQL can keep: UTF-8 without NUL."""
    return raw.decode("utf-8", "replace").replace("\x00", "\ufffd")


def classify(error: BaseException) -> Outcome:
    """Return what a failure of sending comes to; the most specific kind first."""
    root = _root(error)
    if isinstance(root, ForbiddenAddressError):
        return Outcome.ADDRESS_FORBIDDEN
    if isinstance(root, ConnectionResetError | ConnectionAbortedError):
        # Somebody did listen, and hung up: often in the middle of a TLS handshake.
        return Outcome.CONNECTION_BROKEN
    table: list[tuple[type[BaseException] | tuple[type[BaseException], ...], Outcome]] = [
        (aiohttp.ClientConnectorDNSError, Outcome.NAME_NOT_FOUND),
        (
            (aiohttp.ClientSSLError, aiohttp.ClientConnectorCertificateError, aiohttp.ServerFingerprintMismatch),
            Outcome.TLS_FAILED,
        ),
        (aiohttp.ClientConnectorError, Outcome.CONNECTION_REFUSED),
        (aiohttp.ServerTimeoutError, Outcome.TIMED_OUT),
        (aiohttp.ClientResponseError, Outcome.MALFORMED_ANSWER),
        ((aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError), Outcome.UNSENDABLE),
        ((aiohttp.ServerConnectionError, aiohttp.ClientPayloadError, aiohttp.ClientOSError), Outcome.CONNECTION_BROKEN),
        (ssl.SSLError, Outcome.TLS_FAILED),
        (OSError, Outcome.CONNECTION_BROKEN),
        (ValueError, Outcome.UNSENDABLE),
    ]
    return next((outcome for kinds, outcome in table if isinstance(error, kinds)), Outcome.CONNECTION_BROKEN)


def _root(error: BaseException) -> BaseException:
    return error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error


def _detail(error: BaseException) -> str | None:
    """Return which rule of ours was broken; what a library says may name addresses and is not shown."""
    root = _root(error)
    return f"The rule: {root.rule}." if isinstance(root, ForbiddenAddressError) else None
