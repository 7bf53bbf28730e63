"""The receiver of the tests breaks off and drips as it says it does."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.receiver import Receiver


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


async def ask(receiver: Receiver, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", receiver.port)
    writer.write(f"POST {path} HTTP/1.1\r\nContent-Length: 0\r\n\r\n".encode())
    return reader, writer


async def test_connection_is_reset_and_not_merely_closed_when_asked_to_reset(receiver: Receiver) -> None:
    reader, writer = await ask(receiver, "/reset")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


@pytest.mark.parametrize("path", ["/drip/5", "/drip-head/5"])
async def test_bytes_keep_coming_when_asked_to_drip(receiver: Receiver, path: str) -> None:
    reader, writer = await ask(receiver, path)
    async with asyncio.timeout(20):
        assert (await reader.readuntil(b"xxxxx")).startswith(b"HTTP/1.1 200 OK\r\n")
    writer.close()
