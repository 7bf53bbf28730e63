"""What the sender makes of strangers: connections, lengths and every odd answer."""

from collections.abc import AsyncIterator
from datetime import timedelta
from email.utils import format_datetime
from ipaddress import ip_network

import pytest

from services.dispatcher.deliver.connection import KEPT_BYTES, READ_BYTES
from services.dispatcher.deliver.http import HttpSender
from services.dispatcher.deliver.outcome import ADVICE, Answer, Outcome
from services.dispatcher.deliver.request import Request
from tests.contract.dispatcher.stranger import Stranger, listening
from tests.support.clock import START, FakeClock
from tests.support.processes import free_port

LOOPBACK = [ip_network("127.0.0.0/8")]


@pytest.fixture
async def stranger() -> AsyncIterator[Stranger]:
    async with listening(Stranger()) as stranger:
        yield stranger


@pytest.fixture
async def sender(clock: FakeClock) -> AsyncIterator[HttpSender]:
    sender = HttpSender(clock=clock, deadline_s=5, allowed_networks=LOOPBACK)
    yield sender
    await sender.close()


def post(url: str, **headers: str) -> Request:
    return Request(url=url, headers=headers, body=b'{"a":1}')


async def answer_to(sender: HttpSender, stranger: Stranger, answer: bytes) -> Answer:
    stranger.answer, stranger.closes = answer, True
    return await sender.send(post(f"http://127.0.0.1:{stranger.port}/"))


async def test_request_arrives_as_it_was_made(sender: HttpSender, stranger: Stranger) -> None:
    await sender.send(
        post(f"http://127.0.0.1:{stranger.port}/a%20b?c=%2Bd&e=%2F%7e", **{"X-Coro-Hook-Id": "1", "User-Agent": "us"})
    )
    (request,) = stranger.requests
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert first == "POST /a%20b?c=%2Bd&e=%2F%7e HTTP/1.1"
    assert body == b'{"a":1}'
    names = {line.partition(":")[0].lower() for line in lines}
    assert names == {"host", "x-coro-hook-id", "user-agent", "content-length"}


async def test_answer_without_a_body_is_kept_without_one(sender: HttpSender, stranger: Stranger) -> None:
    answer = await answer_to(sender, stranger, b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n")
    assert (answer.outcome, answer.status, answer.body) == (Outcome.DELIVERED, 204, None)
    assert answer.head == "204 No Content\nX-A: 1"


async def test_redirect_is_not_followed(sender: HttpSender, stranger: Stranger) -> None:
    location = f"http://127.0.0.1:{stranger.port}/elsewhere".encode()
    answer = await answer_to(
        sender, stranger, b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    )
    assert (answer.outcome, answer.status) == (Outcome.REDIRECTED, 302)
    assert len(stranger.requests) == 1


async def test_long_answer_is_read_and_kept_up_to_its_caps(sender: HttpSender, stranger: Stranger) -> None:
    endless = b"HTTP/1.1 500 No\r\nContent-Length: 100000000\r\n\r\n" + b"x" * (4 * READ_BYTES)
    stranger.answer = endless
    answer = await sender.send(post(f"http://127.0.0.1:{stranger.port}/"))
    assert answer.outcome is Outcome.RECEIVER_FAILED
    assert answer.body == "x" * KEPT_BYTES


async def test_long_head_is_kept_up_to_its_cap(sender: HttpSender, stranger: Stranger) -> None:
    answer = await answer_to(
        sender, stranger, b"HTTP/1.1 200 OK\r\nX: " + b"y" * 8_000 + b"\r\nContent-Length: 0\r\n\r\n"
    )
    assert answer.outcome is Outcome.DELIVERED
    assert answer.head is not None
    assert len(answer.head) == KEPT_BYTES


async def test_answer_holds_nothing_that_the_database_cannot_keep(sender: HttpSender, stranger: Stranger) -> None:
    answer = await answer_to(
        sender, stranger, b"HTTP/1.1 200 OK\r\nX: \xff\r\nContent-Length: 6\r\n\r\na\x00b\xff\xf0\x9f"
    )
    assert answer.body == "a\ufffdb\ufffd\ufffd"
    assert answer.head is not None
    assert "\x00" not in answer.head


RETRY_AFTERS = {
    "120": 120.0,
    " 7 ": 7.0,
    "0": 0.0,
    format_datetime(START + timedelta(seconds=90), usegmt=True): 90.0,
    format_datetime(START - timedelta(seconds=90), usegmt=True): 0.0,
    "soon": None,
    "-5": None,
    "1.5": None,
    "9" * 500: 1e9,
    "Mon, 02 Mar 99999999999999 10:00:00 GMT": None,
    "Mon, 02 Mar 2026 10:00:00 +99999999999999999999": None,
    "Mon, 02 Mar 2026 10:00:00": None,
    "Sun, 31 Feb 2026 10:00:00 GMT": None,
}


@pytest.mark.parametrize(("value", "expected_s"), RETRY_AFTERS.items())
async def test_retry_after_is_seconds_or_a_date(
    sender: HttpSender, stranger: Stranger, value: str, expected_s: float | None
) -> None:
    answer = await answer_to(
        sender, stranger, f"HTTP/1.1 429 Busy\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n".encode()
    )
    assert (answer.outcome, answer.retry_after_s) == (Outcome.BUSY, expected_s)


ODD_ANSWERS = {
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Len",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    "wrong chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "status of no digits": b"HTTP/1.1 abc OK\r\n\r\n",
    "only a hundred": b"HTTP/1.1 100 Continue\r\n\r\n",
    "switching": b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nxx",
    "HTTP 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP 0.9": b"<html></html>",
    "huge head": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(20_000)) + b"\r\n",
    "huge line": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    "header without a name": b"HTTP/1.1 200 OK\r\n: y\r\n\r\n",
    "binary": bytes(range(256)) * 4,
    "false gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    "false charset": b"HTTP/1.1 200 OK\r\nContent-Type: text/x; charset=\xff\r\nContent-Length: 1\r\n\r\nx",
    "cookie": b"HTTP/1.1 200 OK\r\nSet-Cookie: =;;=\x01\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("answer", ODD_ANSWERS.values(), ids=ODD_ANSWERS.keys())
async def test_whatever_a_stranger_says_is_an_answer(sender: HttpSender, stranger: Stranger, answer: bytes) -> None:
    told = await answer_to(sender, stranger, answer)
    assert told.outcome in Outcome
    assert told.outcome is Outcome.DELIVERED or told.error()
    assert told.status is not None or told.error() == ADVICE[told.outcome], "and nothing of what a library said"
    assert told.outcome not in {Outcome.UNSENDABLE, Outcome.TIMED_OUT, Outcome.CONNECTION_REFUSED}


async def test_nobody_listening_is_a_refused_connection(sender: HttpSender) -> None:
    answer = await sender.send(post(f"http://127.0.0.1:{free_port()}/"))
    assert answer.outcome is Outcome.CONNECTION_REFUSED
    assert answer.error() == ADVICE[Outcome.CONNECTION_REFUSED], "and no address"


@pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://127.0.0.1/", "http://[::1/", "http://127.0.0.1:99999/"])
async def test_impossible_url_is_unsendable(sender: HttpSender, url: str) -> None:
    assert (await sender.send(post(url))).outcome is Outcome.UNSENDABLE


async def test_header_with_a_line_feed_is_unsendable(sender: HttpSender, stranger: Stranger) -> None:
    told = await sender.send(post(f"http://127.0.0.1:{stranger.port}/", **{"X-A": "1\r\nX-B: 2"}))
    assert told.outcome is Outcome.UNSENDABLE
    assert stranger.requests == []


async def test_connection_is_used_again(sender: HttpSender, stranger: Stranger) -> None:
    for _ in range(3):
        assert (await sender.send(post(f"http://127.0.0.1:{stranger.port}/"))).outcome is Outcome.DELIVERED
    assert (len(stranger.requests), stranger.connections) == (3, 1)


async def test_idle_connection_that_the_server_closed_is_no_failure(sender: HttpSender, stranger: Stranger) -> None:
    url = f"http://127.0.0.1:{stranger.port}/"
    await sender.send(post(url))
    stranger.hang_up()
    assert (await sender.send(post(url))).outcome is Outcome.DELIVERED
    assert len(stranger.requests) == 2


async def test_connection_that_closes_just_as_it_is_used_is_no_failure(sender: HttpSender, stranger: Stranger) -> None:
    url = f"http://127.0.0.1:{stranger.port}/"
    await sender.send(post(url))
    stranger.silences = 1
    assert (await sender.send(post(url))).outcome is Outcome.DELIVERED
    assert (len(stranger.requests), stranger.connections) == (3, 2)


async def test_fresh_connection_that_closes_without_a_word_is_a_failure(sender: HttpSender, stranger: Stranger) -> None:
    stranger.silences = 1
    answer = await sender.send(post(f"http://127.0.0.1:{stranger.port}/"))
    assert answer.outcome is Outcome.CONNECTION_BROKEN
    assert len(stranger.requests) == 1, "it may have been taken in, so it is not sent again within the attempt"
