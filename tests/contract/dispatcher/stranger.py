"""A receiver that answers with any bytes at all, one connection after the other."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.support.sockets import reset
from tests.support.waiting import let_others_run


@dataclass
class Stranger:
    """What it says, and what came.

    Attributes:
        answer: Bytes to say after each request.
        closes: Whether it closes the connection afterwards.
        resets: Whether it resets the connection afterwards.
        silences: After how many of the next requests it closes without a word.
        requests: Heads and bodies, as they came.
        connections: How many were opened.
        ended: How many of them are over.
        piece: How many bytes it says at once.
    """

    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    closes: bool = False
    resets: bool = False
    silences: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    ended: int = 0
    piece: int = 1 << 20
    port: int = 0
    open_writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                if self.silences > 0:
                    self.silences -= 1
                    return
                for start in range(0, len(self.answer), self.piece):
                    writer.write(self.answer[start : start + self.piece])
                    await writer.drain()
                    await let_others_run()
                if self.resets:
                    reset(writer.transport)
                if self.closes or self.resets:
                    return
        except (asyncio.IncompleteReadError, OSError):
            return
        finally:
            self.ended += 1
            writer.close()

    def hang_up(self) -> None:
        """Close every connection, as a server does with idle ones."""
        for writer in self.open_writers:
            writer.close()
        self.open_writers.clear()


@asynccontextmanager
async def listening(
    stranger: Stranger, tls: ssl.SSLContext | None = None, *, address: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Stranger]:
    """Let it listen on loopback for the block."""
    server = await asyncio.start_server(stranger.serve, address, port, ssl=tls)
    stranger.port = server.sockets[0].getsockname()[1]
    try:
        yield stranger
    finally:
        stranger.hang_up()
        server.close()
        await server.wait_closed()
