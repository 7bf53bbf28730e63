"""Which URLs are refused for where their host names lead."""

from ipaddress import ip_network

import pytest

from services.api.refusals import InvalidInput
from services.api.webhooks.reach import Reach
from tests.support.resolving import FakeResolver

NAMES = {
    "public.example": ["8.8.8.8", "2606:4700:4700::1111"],
    "inside.example": ["10.1.2.3"],
    "mixed.example": ["8.8.8.8", "169.254.169.254"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "zoned.example": ["fe80::1%eth0"],
}


@pytest.fixture
def resolver() -> FakeResolver:
    return FakeResolver(NAMES)


@pytest.fixture
def reach(resolver: FakeResolver) -> Reach:
    return Reach(resolver=resolver, allowed=[])


@pytest.mark.parametrize("host", ["public.example", "PUBLIC.example:8443", "unknown.example"])
async def test_url_is_accepted_when_its_name_leads_to_public_hosts_or_nowhere(reach: Reach, host: str) -> None:
    await reach.require(f"https://{host}/a")


@pytest.mark.parametrize(
    ("host", "fault"),
    [
        ("localhost", "leads to a loopback address"),
        ("inside.example", "leads to a private address"),
        ("mixed.example", "leads to a metadata service address"),
        ("mapped.example", "leads to a loopback address"),
        ("zoned.example", "leads to a link-local address, where metadata services live"),
    ],
)
async def test_url_is_refused_by_field_and_rule_when_any_address_is_forbidden(
    reach: Reach, host: str, fault: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await reach.require(f"https://{host}/a")

    assert [tuple(one) for one in refused.value.faults] == [("url", fault)]


async def test_url_is_accepted_when_its_network_is_allowed(resolver: FakeResolver) -> None:
    reach = Reach(resolver=resolver, allowed=[ip_network("10.1.0.0/16")])

    await reach.require("https://inside.example/a")
    with pytest.raises(InvalidInput):
        await reach.require("https://localhost/a")


@pytest.mark.parametrize("host", ["8.8.8.8", "[2606:4700:4700::1111]"])
async def test_nobody_is_asked_when_the_host_is_an_address(reach: Reach, resolver: FakeResolver, host: str) -> None:
    await reach.require(f"https://{host}/a")

    assert resolver.asked == []
