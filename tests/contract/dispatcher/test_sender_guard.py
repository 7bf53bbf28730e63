"""The address guard at the moment of connecting: each address by itself, however it is written, every time anew."""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import NamedTuple

import pytest

from coro_events.rules.addresses import ForbiddenAddressError
from services.dispatcher.deliver.connection import Connection
from services.dispatcher.deliver.http import HttpSender
from services.dispatcher.deliver.outcome import ADVICE, Outcome
from services.dispatcher.deliver.pool import Lookup, Origin, Pool, look_up
from services.dispatcher.deliver.request import Request
from tests.contract.dispatcher.stranger import Stranger, listening
from tests.support.clock import FakeClock
from tests.support.resolving import FakeLookup
from tests.support.waiting import let_others_run

# The one address that may be called, and one that listens at the same port and must never be.
GOOD, BAD = "127.0.0.1", "127.0.0.2"
ALLOWED = [ip_network(f"{GOOD}/32")]


class Pair(NamedTuple):
    """Two listeners at one port."""

    good: Stranger
    bad: Stranger


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with listening(Stranger(), address=GOOD) as good, listening(Stranger(), address=BAD, port=good.port) as bad:
        yield Pair(good, bad)


@asynccontextmanager
async def sending(lookup: Lookup, *, opened: bool = True) -> AsyncIterator[HttpSender]:
    sender = HttpSender(clock=FakeClock(), deadline_s=5, allowed_networks=ALLOWED if opened else [], lookup=lookup)
    yield sender
    await sender.close()


def post(host: str, port: int) -> Request:
    return Request(url=f"http://{host}:{port}/", headers={}, body=b"{}")


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "2130706433", "0x7f000001", "017700000001"),
        *("0177.0.0.1", "0x7f.0.0.1", "127.0.1", "127.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
    ],
)
async def test_forbidden_address_is_never_called_however_it_is_written(pair: Pair, host: str) -> None:
    async with sending(look_up, opened=False) as sender:
        answer = await sender.send(post(host, pair.good.port))
    assert answer.outcome is Outcome.ADDRESS_FORBIDDEN
    assert answer.error() == f"{ADVICE[Outcome.ADDRESS_FORBIDDEN]} The rule: loopback.", "and no address"
    await let_others_run()
    assert pair.good.connections == 0


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("10.0.0.1", "private"),
        ("169.254.169.254", "metadata service"),
        ("168.63.129.16", "metadata service"),
        ("224.0.0.1", "multicast"),
        ("64:ff9b::a00:1", "private"),
        ("2002:a00:1::", "private"),
    ],
)
async def test_refusal_names_its_rule_when_a_name_leads_inside(address: str, rule: str) -> None:
    async with sending(FakeLookup({"receiver.example": [[address]]})) as sender:
        answer = await sender.send(post("receiver.example", 443))
    assert (answer.outcome, answer.detail) == (Outcome.ADDRESS_FORBIDDEN, f"The rule: {rule}.")


@pytest.mark.parametrize("addresses", [(GOOD, BAD), (BAD, GOOD), (BAD, "10.0.0.1", GOOD)])
async def test_each_address_is_judged_by_itself_when_a_name_has_several(pair: Pair, addresses: Sequence[str]) -> None:
    async with sending(FakeLookup({"mixed.example": [addresses]})) as sender:
        answer = await sender.send(post("mixed.example", pair.good.port))
    assert answer.outcome is Outcome.DELIVERED
    await let_others_run()
    assert (pair.good.connections, pair.bad.connections) == (1, 0)


@pytest.mark.parametrize("addresses", [(GOOD, BAD), (BAD, GOOD)])
async def test_forbidden_address_is_no_way_out_when_the_allowed_one_takes_no_connection(
    addresses: Sequence[str],
) -> None:
    async with listening(Stranger(), address=BAD) as bad:
        async with sending(FakeLookup({"mixed.example": [addresses]})) as sender:
            answer = await sender.send(post("mixed.example", bad.port))
        await let_others_run()
        assert bad.connections == 0
    assert answer.outcome is Outcome.ADDRESS_FORBIDDEN


async def connect(pool: Pool, origin: Origin) -> Connection:
    return await pool.open(origin, await pool.resolve(origin))


@pytest.mark.parametrize("kept", [False, True], ids=["alone", "beside one that is idle"])
async def test_name_is_refused_when_it_gives_another_answer_than_before(pair: Pair, *, kept: bool) -> None:
    # Each answer is stale at once.
    lookup = FakeLookup({"rebinding.example": [[GOOD], [BAD], [GOOD]]})
    pool = Pool(tls=ssl.create_default_context(), allowed=ALLOWED, name_s=0, lookup=lookup)
    origin = Origin("rebinding.example", pair.good.port, tls=False)
    first = await connect(pool, origin)
    if kept:
        pool.keep(origin, first)
    else:
        first.abort()
    with pytest.raises(ForbiddenAddressError) as caught:
        await connect(pool, origin)
    assert caught.value.rule == "loopback"
    (await connect(pool, origin)).abort()
    await pool.close()
    await let_others_run()
    assert (pair.good.connections, pair.bad.connections) == (2, 0)


async def test_answer_is_judged_anew_at_each_connect_when_it_is_remembered(pair: Pair) -> None:
    lookup = FakeLookup({"inside.example": [[BAD]]})
    async with sending(lookup) as sender:
        answers = [await sender.send(post("inside.example", pair.bad.port)) for _ in range(3)]
    assert {answer.outcome for answer in answers} == {Outcome.ADDRESS_FORBIDDEN}
    assert lookup.asked == ["inside.example"]
    assert pair.bad.connections == 0
