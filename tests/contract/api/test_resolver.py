"""What every adapter of `Resolver` promises."""

import asyncio
import threading
from collections.abc import Iterator, Sequence

import pytest

from coro_events.rules.addresses import forbidden_rule
from services.api.webhooks.dns import LOOKUPS_AT_ONCE, SystemResolver
from services.api.webhooks.ports import Resolver
from tests.support.resolving import FakeResolver

# No name at all, so nobody is asked for it: a label has 63 characters at most.
IMPOSSIBLE = "a" * 64 + ".invalid"


@pytest.fixture(params=["fake", "real"])
def resolver(request: pytest.FixtureRequest) -> Iterator[Resolver]:
    if request.param == "fake":
        yield FakeResolver()
        return
    real = SystemResolver()
    yield real
    real.close()


async def test_every_address_is_returned_once_when_the_name_is_known(resolver: Resolver) -> None:
    addresses = await resolver.resolve("localhost")

    assert len(addresses) == len(set(addresses)) >= 1
    assert {forbidden_rule(address, []) for address in addresses} == {"loopback"}


async def test_nothing_is_returned_when_the_name_cannot_be_resolved(resolver: Resolver) -> None:
    assert list(await resolver.resolve(IMPOSSIBLE)) == []


async def test_nothing_is_returned_and_others_go_on_when_looking_up_takes_too_long() -> None:
    released = threading.Event()

    def hang(host: str) -> Sequence[str]:
        released.wait(30)
        return [host]

    slow = SystemResolver(limit_s=0.05, look_up=hang)
    try:
        # More than there are threads; the event loop is free all the while.
        answers = await asyncio.gather(*(slow.resolve("slow.example") for _ in range(2 * LOOKUPS_AT_ONCE)))
    finally:
        released.set()
        slow.close()

    assert [list(answer) for answer in answers] == [[]] * (2 * LOOKUPS_AT_ONCE)
