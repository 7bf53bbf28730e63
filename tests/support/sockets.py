"""Refuses network connections in tests that must not make any, and ends others as a bad network does."""

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock


@contextmanager
def no_network() -> Iterator[None]:
    """Let every connection but those over UNIX sockets fail for the block.

    The event loop's own wake-up is a socket pair, which never connects.
    """
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def refuse(own: socket.socket, address: Any) -> None:
        if own.family != socket.AF_UNIX:
            raise AssertionError(f"a unit test connected to {address!r}; use a fake or make it an integration test")
        connect(own, address)

    def refuse_ex(own: socket.socket, address: Any) -> int:
        refuse(own, address)
        return connect_ex(own, address)

    with (
        mock.patch.object(socket.socket, "connect", refuse),
        mock.patch.object(socket.socket, "connect_ex", refuse_ex),
    ):
        yield


def reset(transport: asyncio.WriteTransport) -> None:
    """End a connection with a TCP reset; what was written before may or may not arrive.

    Without lingering the kernel says that the connection is reset, and not that it is over.
    """
    own = transport.get_extra_info("socket")
    own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
