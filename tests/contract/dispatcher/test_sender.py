"""What every adapter of `Sender` promises; the fake answers as the receiver would."""

from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest

from services.dispatcher.deliver.http import HttpSender
from services.dispatcher.deliver.outcome import Outcome
from services.dispatcher.deliver.ports import Sender
from services.dispatcher.deliver.request import Request, make_request
from tests.support.clock import START, FakeClock
from tests.support.dispatching import make_delivery, make_target
from tests.support.fakes import FakeSender
from tests.support.receiver import Receiver

DEADLINE_S = 0.3


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture(params=["fake", "real"])
async def sender(request: pytest.FixtureRequest, clock: FakeClock) -> AsyncIterator[Sender]:
    if request.param == "fake":
        yield FakeSender()
        return
    real = HttpSender(clock=clock, deadline_s=DEADLINE_S, allowed_networks=[ip_network("127.0.0.0/8")])
    yield real
    await real.close()


def request_to(url: str) -> Request:
    return make_request(make_delivery(make_target(url=url)), START)


@pytest.mark.parametrize(
    ("path", "outcome", "status"),
    [
        ("/ok", Outcome.DELIVERED, 200),
        ("/status/202", Outcome.DELIVERED, 202),
        ("/status/301", Outcome.REDIRECTED, 301),
        ("/status/307", Outcome.REDIRECTED, 307),
        ("/status/404", Outcome.REFUSED_BY_RECEIVER, 404),
        ("/status/410", Outcome.GONE, 410),
        ("/status/429", Outcome.BUSY, 429),
        ("/status/500", Outcome.RECEIVER_FAILED, 500),
        ("/status/503", Outcome.BUSY, 503),
        ("/hang", Outcome.TIMED_OUT, None),
        ("/drip", Outcome.TIMED_OUT, None),
        ("/drip/20", Outcome.TIMED_OUT, None),
        ("/drip-head/20", Outcome.TIMED_OUT, None),
        ("/reset", Outcome.CONNECTION_BROKEN, None),
        ("/garbage", Outcome.MALFORMED_ANSWER, None),
        ("/long", Outcome.DELIVERED, 200),
    ],
)
async def test_receivers_behaviour_becomes_an_answer(
    sender: Sender, receiver: Receiver, path: str, outcome: Outcome, status: int | None
) -> None:
    answer = await sender.send(request_to(receiver.url(path)))
    assert (answer.outcome, answer.status) == (outcome, status)


async def test_retry_after_is_told_in_seconds(sender: Sender, receiver: Receiver) -> None:
    answer = await sender.send(request_to(receiver.url("/status/429/Retry-After:90")))
    assert (answer.outcome, answer.retry_after_s) == (Outcome.BUSY, 90.0)
    assert (await sender.send(request_to(receiver.url("/status/429")))).retry_after_s is None


async def test_sender_goes_on_after_every_failure(sender: Sender, receiver: Receiver) -> None:
    for path in ("/garbage", "/reset", "/hang", "/status/500"):
        await sender.send(request_to(receiver.url(path)))
        assert (await sender.send(request_to(receiver.url("/ok")))).outcome is Outcome.DELIVERED
