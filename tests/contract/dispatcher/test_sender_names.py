"""Hosts by their names: found, not found, and nobody there to ask."""

import socket
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest

from services.dispatcher.deliver.guard import AddressInfo
from services.dispatcher.deliver.http import HttpSender
from services.dispatcher.deliver.outcome import ADVICE, Outcome
from services.dispatcher.deliver.pool import Lookup
from services.dispatcher.deliver.request import Request
from tests.contract.dispatcher.stranger import Stranger, listening
from tests.support.clock import FakeClock
from tests.support.resolving import FakeLookup

REQUEST = Request(url="http://receiver.example/", headers={}, body=b"{}")


@asynccontextmanager
async def sending(lookup: Lookup, *, deadline_s: float = 5) -> AsyncIterator[HttpSender]:
    sender = HttpSender(
        clock=FakeClock(), deadline_s=deadline_s, allowed_networks=[ip_network("127.0.0.0/8")], lookup=lookup
    )
    yield sender
    await sender.close()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (socket.EAI_NONAME, Outcome.NAME_NOT_FOUND),
        (socket.EAI_NODATA, Outcome.NAME_NOT_FOUND),
        (socket.EAI_ADDRFAMILY, Outcome.NAME_NOT_FOUND),
        (socket.EAI_AGAIN, Outcome.NAME_UNRESOLVED),
        (socket.EAI_FAIL, Outcome.NAME_UNRESOLVED),
        (socket.EAI_SYSTEM, Outcome.NAME_UNRESOLVED),
        (socket.EAI_MEMORY, Outcome.NAME_UNRESOLVED),
    ],
)
async def test_name_that_does_not_exist_is_told_from_a_name_server_that_fails(number: int, expected: Outcome) -> None:
    async with sending(FakeLookup({"receiver.example": [number]})) as sender:
        answer = await sender.send(REQUEST)
    assert answer.outcome is expected
    assert answer.error() == ADVICE[expected], "and nothing of what the resolver said"


async def test_name_is_unresolved_when_looking_it_up_hangs_until_the_deadline() -> None:
    released = threading.Event()

    def hang(host: str, port: int) -> Sequence[AddressInfo]:
        del host, port
        released.wait(20)
        return []

    try:
        async with sending(hang, deadline_s=0.2) as sender:
            answer = await sender.send(REQUEST)
    finally:
        released.set()
    assert answer.outcome is Outcome.NAME_UNRESOLVED
    assert answer.detail == "The deadline of 0.2 s passed while looking up the host's name."


async def test_name_is_looked_up_again_at_once_when_the_name_server_had_failed() -> None:
    async with listening(Stranger()) as stranger:
        request = Request(url=f"http://receiver.example:{stranger.port}/", headers={}, body=b"{}")
        async with sending(FakeLookup({"receiver.example": [socket.EAI_AGAIN, ["127.0.0.1"]]})) as sender:
            outcomes = [(await sender.send(request)).outcome for _ in range(2)]
    assert outcomes == [Outcome.NAME_UNRESOLVED, Outcome.DELIVERED]


async def test_real_resolver_finds_no_address_of_a_name_that_cannot_exist(clock: FakeClock) -> None:
    sender = HttpSender(clock=clock, deadline_s=20, allowed_networks=[])
    answer = await sender.send(Request(url="http://does-not-exist.invalid/", headers={}, body=b"{}"))
    await sender.close()
    # Without any network nobody can tell.
    assert answer.outcome in {Outcome.NAME_NOT_FOUND, Outcome.NAME_UNRESOLVED}
