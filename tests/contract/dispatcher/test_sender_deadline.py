"""One deadline for the whole exchange, and what the customer is told of where it passed."""

import asyncio
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest

from services.dispatcher.deliver.http import HttpSender
from services.dispatcher.deliver.outcome import Answer, Outcome
from services.dispatcher.deliver.request import Request
from tests.contract.dispatcher.stranger import Stranger, listening
from tests.support.clock import FakeClock
from tests.support.receiver import Receiver

DEADLINE_S = 0.3
# Far above the deadline, because machines are busy; far below what a drip would take.
LATEST_S = 2.5

PHASES = {
    "nothing": (b"", "waiting for the answer"),
    "half a status": (b"HTTP/1.1 2", "reading the headers"),
    "half a head": (b"HTTP/1.1 200 OK\r\nX: 1\r\n", "reading the headers"),
    "only a hundred": (b"HTTP/1.1 100 Continue\r\n\r\n", "reading the headers"),
    "no body": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "reading the body"),
    "half a body": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "reading the body"),
    "half a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "reading the body"),
}


@pytest.fixture
async def sender(clock: FakeClock) -> AsyncIterator[HttpSender]:
    sender = HttpSender(clock=clock, deadline_s=DEADLINE_S, allowed_networks=[ip_network("127.0.0.0/8")])
    yield sender
    await sender.close()


@pytest.fixture
async def stranger() -> AsyncIterator[Stranger]:
    async with listening(Stranger()) as stranger:
        yield stranger


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


async def timed_out(sender: HttpSender, url: str) -> Answer:
    """Return the answer to a request that must end at the deadline."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    answer = await sender.send(Request(url=url, headers={}, body=b"{}"))
    assert answer.outcome is Outcome.TIMED_OUT
    assert DEADLINE_S <= loop.time() - began < LATEST_S
    return answer


@pytest.mark.parametrize("used", [False, True], ids=["fresh", "used before"])
@pytest.mark.parametrize(("answer", "phase"), PHASES.values(), ids=PHASES.keys())
async def test_exchange_ends_at_the_deadline_and_tells_where_it_was(
    sender: HttpSender, stranger: Stranger, answer: bytes, phase: str, *, used: bool
) -> None:
    url = f"http://127.0.0.1:{stranger.port}/"
    if used:
        assert (await sender.send(Request(url=url, headers={}, body=b"{}"))).outcome is Outcome.DELIVERED
    stranger.answer = answer
    told = await timed_out(sender, url)
    assert told.detail == f"The deadline of {DEADLINE_S:g} s passed while {phase}."
    assert stranger.connections == 1


async def test_connecting_counts_towards_the_deadline(sender: HttpSender) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        with socket.socket() as first, socket.socket() as second:
            for one in (first, second):
                one.settimeout(0)
                one.connect_ex(address)
            told = await timed_out(sender, f"http://127.0.0.1:{address[1]}/")
    assert told.detail == f"The deadline of {DEADLINE_S:g} s passed while connecting."


async def test_secure_connection_counts_towards_the_deadline(sender: HttpSender, stranger: Stranger) -> None:
    # It waits for the end of a head, which no handshake has.
    told = await timed_out(sender, f"https://127.0.0.1:{stranger.port}/")
    assert told.detail == f"The deadline of {DEADLINE_S:g} s passed while connecting."


@pytest.mark.parametrize("used", [False, True], ids=["fresh", "used before"])
@pytest.mark.parametrize(("path", "phase"), [("/drip/20", "body"), ("/drip-head/20", "headers")])
async def test_deadline_is_that_of_the_whole_when_bytes_keep_coming(
    sender: HttpSender, receiver: Receiver, path: str, phase: str, *, used: bool
) -> None:
    if used:
        ok = await sender.send(Request(url=receiver.url("/ok"), headers={}, body=b"{}"))
        assert ok.outcome is Outcome.DELIVERED
    # A deadline that began anew with each byte would let it go on for 20 s.
    told = await timed_out(sender, receiver.url(path))
    assert told.detail == f"The deadline of {DEADLINE_S:g} s passed while reading the {phase}."
