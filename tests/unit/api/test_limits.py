"""How often something may be done, and who is slowed down after failed sign-ins."""

import pytest

from services.api.access.throttle import ADDRESS_FAILURES, CLIENT_FAILURES, FailedAttempts
from services.api.limits import Buckets
from services.api.refusals import TooManyAttempts, TooManyRequests
from tests.support.clock import FakeClock


async def test_permits_run_out_and_come_back_with_time(clock: FakeClock) -> None:
    buckets = Buckets(rate_per_s=2, burst=3, clock=clock)

    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    await clock.advance(0.5)
    assert [buckets.take("a"), buckets.take("a")] == [0, 0.5]
    await clock.advance(100)
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]


def test_permits_of_one_key_are_not_those_of_another(clock: FakeClock) -> None:
    buckets = Buckets(rate_per_s=1, burst=1, clock=clock)

    assert buckets.take("a") == 0
    assert buckets.take("b") == 0
    assert buckets.wait_s("a") == 1
    assert buckets.wait_s("c") == 0


def test_key_that_was_not_used_for_longest_is_forgotten_when_there_are_too_many(clock: FakeClock) -> None:
    buckets = Buckets(rate_per_s=1, burst=1, clock=clock, most_keys=2)
    for key in "abc":
        buckets.take(key)

    assert [buckets.wait_s(key) for key in "abc"] == [0, 1, 1]


def test_wait_is_told_in_whole_seconds() -> None:
    assert [TooManyRequests(wait_s).retry_after_s for wait_s in (0.01, 1, 1.2)] == [1, 1, 2]


async def test_client_is_slowed_down_when_it_fails_from_many_addresses(clock: FakeClock) -> None:
    failures = FailedAttempts(clock)
    for number in range(CLIENT_FAILURES):
        failures.require_few(client_id="billing", address=f"192.0.2.{number}")
        failures.add(client_id="billing", address=f"192.0.2.{number}")

    with pytest.raises(TooManyAttempts) as refused:
        failures.require_few(client_id="billing", address="192.0.2.99")
    assert refused.value.retry_after_s == 30
    failures.require_few(client_id="other", address="192.0.2.1")
    await clock.advance(30)
    failures.require_few(client_id="billing", address="192.0.2.99")


@pytest.mark.parametrize(
    ("addresses", "neighbour"),
    [
        (["192.0.2.1", "::ffff:192.0.2.1"], "192.0.2.2"),
        (["2001:db8::1", "2001:db8::ffff:2"], "2001:db8:0:1::1"),
        (["unknown"], "192.0.2.1"),
    ],
)
def test_address_is_slowed_down_when_it_tries_many_clients(
    clock: FakeClock, addresses: list[str], neighbour: str
) -> None:
    failures = FailedAttempts(clock)
    for number in range(ADDRESS_FAILURES):
        failures.add(client_id=f"client-{number}", address=addresses[number % len(addresses)])

    with pytest.raises(TooManyAttempts):
        failures.require_few(client_id="fresh", address=addresses[0])
    failures.require_few(client_id="fresh", address=neighbour)
