"""Whom the sender trusts."""

import ssl
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from services.dispatcher.deliver.http import HttpSender
from services.dispatcher.deliver.outcome import ADVICE, Answer, Outcome
from services.dispatcher.deliver.request import Request
from tests.contract.dispatcher.certificates import DAY, Authority, make_authority
from tests.contract.dispatcher.stranger import Stranger, listening
from tests.support.clock import FakeClock
from tests.support.resolving import FakeLookup


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority()


@pytest.fixture
async def sender(clock: FakeClock, authority: Authority) -> AsyncIterator[HttpSender]:
    sender = HttpSender(
        clock=clock,
        deadline_s=5,
        allowed_networks=[ip_network("127.0.0.0/8")],
        ssl_context=authority.client_context(),
    )
    yield sender
    await sender.close()


async def answer_of(sender: HttpSender, tls: ssl.SSLContext) -> tuple[Answer, Stranger]:
    async with listening(Stranger(), tls) as stranger:
        url = f"https://127.0.0.1:{stranger.port}/"
        return await sender.send(Request(url=url, headers={}, body=b"{}")), stranger


async def test_receiver_is_called_when_its_certificate_is_good(
    sender: HttpSender, authority: Authority, tmp_path: Path
) -> None:
    answer, stranger = await answer_of(sender, authority.server_context(tmp_path))
    assert answer.outcome is Outcome.DELIVERED
    assert len(stranger.requests) == 1


async def told_nothing(sender: HttpSender, tls: ssl.SSLContext) -> None:
    answer, stranger = await answer_of(sender, tls)
    assert answer.outcome is Outcome.TLS_FAILED
    assert answer.error() == ADVICE[Outcome.TLS_FAILED], "and nothing of the certificate"
    assert stranger.requests == []


async def test_receiver_is_told_nothing_when_nobody_vouches_for_it(sender: HttpSender, tmp_path: Path) -> None:
    await told_nothing(sender, make_authority().server_context(tmp_path))


async def test_receiver_is_told_nothing_when_its_certificate_is_anothers(
    sender: HttpSender, authority: Authority, tmp_path: Path
) -> None:
    await told_nothing(sender, authority.server_context(tmp_path, host="other.example.com"))


@pytest.mark.parametrize(
    ("called", "certified", "expected"),
    [
        ("receiver.example", "receiver.example", Outcome.DELIVERED),
        ("receiver.example", "other.example", Outcome.TLS_FAILED),
        ("receiver.example", "127.0.0.1", Outcome.TLS_FAILED),
        ("127.0.0.1", "receiver.example", Outcome.TLS_FAILED),
    ],
)
async def test_certificate_must_be_for_the_host_that_the_url_names(
    clock: FakeClock, authority: Authority, tmp_path: Path, *, called: str, certified: str, expected: Outcome
) -> None:
    sender = HttpSender(
        clock=clock,
        deadline_s=5,
        allowed_networks=[ip_network("127.0.0.0/8")],
        ssl_context=authority.client_context(),
        lookup=FakeLookup({"receiver.example": [["127.0.0.1"]]}),
    )
    async with listening(Stranger(), authority.server_context(tmp_path, host=certified)) as stranger:
        answer = await sender.send(Request(url=f"https://{called}:{stranger.port}/", headers={}, body=b"{}"))
    await sender.close()
    assert answer.outcome is expected
    assert len(stranger.requests) == (1 if expected is Outcome.DELIVERED else 0)


async def test_receiver_is_told_nothing_when_its_certificate_expired(
    sender: HttpSender, authority: Authority, tmp_path: Path
) -> None:
    await told_nothing(sender, authority.server_context(tmp_path, ended_ago=DAY))


async def test_receiver_is_told_nothing_when_it_speaks_only_old_tls(
    sender: HttpSender, authority: Authority, tmp_path: Path
) -> None:
    context = authority.server_context(tmp_path)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    answer, stranger = await answer_of(sender, context)
    assert answer.outcome in {Outcome.TLS_FAILED, Outcome.CONNECTION_BROKEN}
    assert stranger.requests == []


async def test_tls_fails_when_the_receiver_speaks_plain_http(sender: HttpSender) -> None:
    async with listening(Stranger()) as stranger:
        # It waits for the end of a head that never comes, and hangs up on what it cannot read.
        stranger.answer = b"HTTP/1.1 400 Bad Request\r\n\r\n"
        request = Request(url=f"https://127.0.0.1:{stranger.port}/", headers={}, body=b"{}")
        hasty = HttpSender(clock=FakeClock(), deadline_s=0.3, allowed_networks=[ip_network("127.0.0.0/8")])
        answer = await hasty.send(request)
        await hasty.close()
    assert answer.outcome in {Outcome.TLS_FAILED, Outcome.TIMED_OUT}
    assert stranger.requests == []
    assert (await sender.send(request)).outcome is Outcome.CONNECTION_REFUSED
