"""A wire to a server that can be cut, or go dead: nothing comes through and nobody is told."""

import asyncio
from urllib.parse import urlsplit, urlunsplit


class Wire:
    """Listens on loopback and hands bytes on, both ways.

    Attributes:
        port: Where it listens once it is up.
    """

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._alive = asyncio.Event()
        self._alive.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def up(self) -> None:
        """Listen, on the same port each time."""
        self._alive.set()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break every connection off and take no new one."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def die(self) -> None:
        """Take connections and let nothing through, until `revive`."""
        self._alive.clear()

    def revive(self) -> None:
        """Let through what waited."""
        self._alive.set()

    def url(self, url: str) -> str:
        """Return the URL of the server, by way of this wire."""
        parts = urlsplit(url)
        return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{self.port}"))

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far: asyncio.StreamWriter | None = None
        try:
            await self._alive.wait()
            far_reader, far = await asyncio.open_connection(*self._to)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._copy(reader, far))
                both.create_task(self._copy(far_reader, writer))
        except* OSError:
            pass
        finally:
            for one in (writer, far):
                if one is not None:
                    one.transport.abort()

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while some := await source.read(65_536):
            await self._alive.wait()
            sink.write(some)
            await sink.drain()
        raise ConnectionResetError
