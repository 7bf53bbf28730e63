"""When a connection carries the next request, and when an answer is whole."""

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Sequence
from ipaddress import ip_network
from typing import Any

import pytest

from services.dispatcher.deliver.connection import Connection
from services.dispatcher.deliver.http import HttpSender
from services.dispatcher.deliver.outcome import Outcome
from services.dispatcher.deliver.pool import Origin, Pool, look_up
from services.dispatcher.deliver.request import Request
from tests.contract.dispatcher.stranger import Stranger, listening
from tests.support.clock import FakeClock
from tests.support.waiting import let_others_run, wait_until

LOOPBACK = [ip_network("127.0.0.0/8")]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
async def stranger() -> AsyncIterator[Stranger]:
    async with listening(Stranger()) as stranger:
        yield stranger


@pytest.fixture
async def sender(clock: FakeClock) -> AsyncIterator[HttpSender]:
    sender = HttpSender(clock=clock, deadline_s=5, allowed_networks=LOOPBACK)
    yield sender
    await sender.close()


def to(stranger: Stranger) -> Request:
    return Request(url=f"http://127.0.0.1:{stranger.port}/", headers={}, body=b"{}")


async def connect(pool: Pool, origin: Origin) -> Connection:
    return await pool.open(origin, await pool.resolve(origin))


WHOLE = {
    "after 100": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 2\r\n\r\nhi",
    "after 103 with headers": (
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 2\r\n\r\nhi"
    ),
    "chunked": b"HTTP/1.1 200 OK\r\nX: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n",
    "to its end": b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\nhi",
    "of HTTP 1.0": b"HTTP/1.0 200 OK\r\nX: 1\r\n\r\nhi",
    "closing": b"HTTP/1.1 200 OK\r\nX: 1\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
}


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE.keys())
async def test_answer_is_whole_however_its_end_is_told(sender: HttpSender, stranger: Stranger, answer: bytes) -> None:
    stranger.answer, stranger.closes = answer, True
    told = await sender.send(to(stranger))
    assert (told.outcome, told.status, told.body) == (Outcome.DELIVERED, 200, "hi")
    assert told.head is not None
    assert told.head.startswith("200 OK\nX: 1")


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE.keys())
async def test_answer_is_whole_when_it_comes_byte_by_byte(
    sender: HttpSender, stranger: Stranger, answer: bytes
) -> None:
    stranger.answer, stranger.closes, stranger.piece = answer, True, 1
    assert (await sender.send(to(stranger))).body == "hi"


async def test_answer_is_broken_when_it_ends_before_its_length(sender: HttpSender, stranger: Stranger) -> None:
    stranger.answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nhi"
    stranger.closes = True
    assert (await sender.send(to(stranger))).outcome is Outcome.CONNECTION_BROKEN


async def test_answer_is_broken_when_a_reset_comes_where_its_end_would_tell_that_it_is_whole(
    sender: HttpSender, stranger: Stranger
) -> None:
    stranger.answer, stranger.resets = b"HTTP/1.1 200 OK\r\n\r\nhi", True
    assert (await sender.send(to(stranger))).outcome is Outcome.CONNECTION_BROKEN


NOT_REUSED = {
    "the receiver says so": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "it is of HTTP 1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "more came than was asked for": OK + OK,
    "a piece more came": OK + b"HTT",
    "the protocol was switched": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "the answer is longer than is read": b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + b"x" * 200_000,
}


@pytest.mark.parametrize("answer", NOT_REUSED.values(), ids=NOT_REUSED.keys())
async def test_connection_is_not_used_again_when(sender: HttpSender, stranger: Stranger, answer: bytes) -> None:
    stranger.answer = answer
    await sender.send(to(stranger))
    stranger.answer = OK
    assert (await sender.send(to(stranger))).outcome is Outcome.DELIVERED
    assert stranger.connections == 2


async def test_answer_holds_nothing_of_what_came_behind_it(sender: HttpSender, stranger: Stranger) -> None:
    stranger.answer = OK + b"HTTP/1.1 500 Spoofed\r\nContent-Length: 5\r\n\r\nnever"
    told = await sender.send(to(stranger))
    assert (told.outcome, told.status, told.head, told.body) == (
        Outcome.DELIVERED,
        200,
        "200 OK\nContent-Length: 0",
        None,
    )


async def test_connection_is_not_used_again_when_an_idle_one_is_spoken_to(
    sender: HttpSender, stranger: Stranger
) -> None:
    await sender.send(to(stranger))
    stranger.open_writers[0].write(b"HTTP/1.1 500 Spoofed\r\nContent-Length: 0\r\n\r\n")
    await wait_until(lambda: stranger.ended == 1, what="the sender hangs up", limit_s=5)
    assert (await sender.send(to(stranger))).outcome is Outcome.DELIVERED
    assert stranger.connections == 2


async def test_attempt_that_times_out_takes_its_connection_along(clock: FakeClock, stranger: Stranger) -> None:
    sender = HttpSender(clock=clock, deadline_s=0.2, allowed_networks=LOOPBACK)
    await sender.send(to(stranger))
    stranger.answer = b""
    answers = await asyncio.gather(*[sender.send(to(stranger)) for _ in range(3)])
    assert {answer.outcome for answer in answers} == {Outcome.TIMED_OUT}
    stranger.answer = OK
    assert (await sender.send(to(stranger))).outcome is Outcome.DELIVERED
    assert stranger.connections == 4, "one that was idle, two beside it, and a fresh one"
    await sender.close()


async def test_attempt_that_is_cancelled_takes_its_connection_along(sender: HttpSender, stranger: Stranger) -> None:
    await sender.send(to(stranger))
    stranger.answer = b""
    attempt = asyncio.create_task(sender.send(to(stranger)))
    await wait_until(lambda: len(stranger.requests) == 2, what="the request came", limit_s=5)
    attempt.cancel()
    await wait_until(lambda: stranger.ended == 1, what="the sender hangs up", limit_s=5)


async def test_idle_connection_is_closed_after_a_while(stranger: Stranger) -> None:
    pool = Pool(tls=ssl.create_default_context(), allowed=LOOPBACK, idle_s=0.05)
    origin = Origin("127.0.0.1", stranger.port, tls=False)
    pool.keep(origin, await connect(pool, origin))
    await wait_until(lambda: stranger.ended == 1, what="the idle connection is closed", limit_s=5)
    assert pool.take(origin) is None
    await pool.close()


async def test_name_is_looked_up_once_by_all_who_wait_for_it_however_long(stranger: Stranger) -> None:
    asked, may_answer = [], threading.Event()

    def slow(host: str, port: int) -> Sequence[Any]:
        asked.append(host)
        assert may_answer.wait(10)
        return look_up("127.0.0.1", port)

    # An answer that has come is stale at once; one that has not is waited for.
    pool = Pool(tls=ssl.create_default_context(), allowed=LOOPBACK, name_s=0, lookup=slow)
    origin = Origin("receiver.example", stranger.port, tls=False)
    waiting = [asyncio.create_task(connect(pool, origin)) for _ in range(3)]
    await wait_until(lambda: asked, what="the name is looked up", limit_s=5)
    await let_others_run()
    may_answer.set()
    for connection in await asyncio.gather(*waiting):
        connection.abort()
    assert asked == ["receiver.example"]
    (await connect(pool, origin)).abort()
    assert len(asked) == 2
    await pool.close()
