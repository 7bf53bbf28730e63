"""Connections to receivers: names resolved, opened behind the address guard, idle ones kept for a while."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import aiohappyeyeballs

from coro_events.rules.addresses import Network
from services.dispatcher.deliver.connection import Connection
from services.dispatcher.deliver.guard import AddressGuard, AddressInfo

# An idle connection is closed after so long: most servers keep theirs longer, and none is wronged.
IDLE_S = 15.0

# How long the addresses of a name are remembered; the guard looks at each address anyway.
NAME_S = 10.0

# The system's resolver blocks a thread a name, and for seconds when its server is away.
RESOLVING_THREADS = 32

# The head start of one address before the next is tried as well (RFC 8305 recommends 250 ms).
_HEAD_START_S = 0.25

# By these a name server tells that the name has no address; by any other number, that it could not tell.
_NO_ADDRESS = frozenset({socket.EAI_NONAME, socket.EAI_NODATA, socket.EAI_ADDRFAMILY})

Lookup = Callable[[str, int], Sequence[AddressInfo]]


def look_up(host: str, port: int) -> Sequence[AddressInfo]:
    """Return the addresses of a host, as the system's resolver knows them; it blocks.

    Raises:
        OSError: The name has no address, or nobody could tell (gaierror).
    """
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class Origin(NamedTuple):
    """Whom a connection leads to."""

    host: str
    port: int
    tls: bool


class UnreachableError(Exception):
    """No address of the host takes connections."""


class NameNotFoundError(OSError):
    """The name does not exist, or has no address."""


class NameUnresolvedError(OSError):
    """No name server told whether the name has an address."""


class Pool:
    """Opens connections and keeps idle ones; made inside the running loop, closed by `close`."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext,
        allowed: Sequence[Network],
        idle_s: float = IDLE_S,
        name_s: float = NAME_S,
        lookup: Lookup = look_up,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._tls = tls
        self._allowed = allowed
        self._idle_s = idle_s
        self._name_s = name_s
        self._lookup = lookup
        self._idle: dict[Origin, deque[Connection]] = {}
        self._names: dict[tuple[str, int], tuple[float, asyncio.Task[Sequence[AddressInfo]]]] = {}
        self._threads = ThreadPoolExecutor(RESOLVING_THREADS, thread_name_prefix="resolve")
        self._sweeping: asyncio.TimerHandle | None = None

    def take(self, origin: Origin) -> Connection | None:
        """Return an idle connection, the one used last; none where there is none."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.open:
                return connection
        return None

    def keep(self, origin: Origin, connection: Connection) -> None:
        """Take back a connection whose exchange is over."""
        connection.idle_since = self._loop.time()
        idle = self._idle.get(origin)
        if idle is None:
            idle = self._idle[origin] = deque()
        idle.append(connection)
        self._sweep_later()

    def _sweep_later(self) -> None:
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(self._idle_s / 4, self._sweep)

    def _sweep(self) -> None:
        """Close what was idle for long, and forget what closed by itself."""
        kept_since = self._loop.time() - self._idle_s
        for origin, idle in list(self._idle.items()):
            while idle and (idle[0].idle_since <= kept_since or not idle[0].open):
                idle.popleft().abort()
            if not idle:
                del self._idle[origin]
        self._names = {name: entry for name, entry in self._names.items() if self._is_good(entry)}
        self._sweeping = None
        if self._idle or self._names:
            self._sweep_later()

    async def open(self, origin: Origin, infos: Sequence[AddressInfo]) -> Connection:
        """Connect to the first of a host's addresses that answers; the guard looks at each before.

        Raises:
            ForbiddenAddressError: They are never called.
            UnreachableError: Nobody accepts connections there.
            OSError: The handshake failed (SSLError), or somebody broke off.
        """
        guard = AddressGuard(self._allowed)
        try:
            connected = await aiohappyeyeballs.start_connection(
                infos, happy_eyeballs_delay=_HEAD_START_S, interleave=1, socket_factory=guard.open_socket
            )
        except (ConnectionResetError, ConnectionAbortedError, TimeoutError):
            raise
        except OSError as error:
            raise (guard.refusal or UnreachableError()) from error
        return await self._start(connected, origin)

    async def _start(self, connected: socket.socket, origin: Origin) -> Connection:
        try:
            _, connection = await self._loop.create_connection(
                lambda: Connection(self._loop),
                sock=connected,
                ssl=self._tls if origin.tls else None,
                server_hostname=origin.host if origin.tls else None,
            )
        except BaseException:
            connected.close()
            raise
        return connection

    async def resolve(self, origin: Origin) -> Sequence[AddressInfo]:
        """Return the host's addresses; those who ask at the same time share one answer.

        Raises:
            NameNotFoundError: It has none.
            NameUnresolvedError: Nobody could tell.
        """
        host, port = origin.host, origin.port
        known = self._names.get((host, port))
        if known is None or not self._is_good(known):
            asking = self._loop.create_task(self._ask(host, port), name="deliver.resolve")
            # Whoever waits may give up; the error is not lost then, it is only nobody's.
            asking.add_done_callback(lambda task: task.cancelled() or task.exception())
            known = self._names[host, port] = (self._loop.time() + self._name_s, asking)
            self._sweep_later()
        return await asyncio.shield(known[1])

    async def _ask(self, host: str, port: int) -> Sequence[AddressInfo]:
        try:
            return await self._loop.run_in_executor(self._threads, self._lookup, host, port)
        except socket.gaierror as error:
            raise (NameNotFoundError() if error.errno in _NO_ADDRESS else NameUnresolvedError()) from error

    def _is_good(self, entry: tuple[float, asyncio.Task[Sequence[AddressInfo]]]) -> bool:
        """Whether an answer is fresh or still to come: a resolver that hangs is not asked by thread after thread."""
        until, asking = entry
        if not asking.done():
            return True
        return until > self._loop.time() and not asking.cancelled() and asking.exception() is None

    async def close(self) -> None:
        """Close every idle connection."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for idle in self._idle.values():
            for connection in idle:
                connection.abort()
        self._idle.clear()
        for _, asking in self._names.values():
            asking.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)
