"""Which addresses are never called."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coro_events.rules.addresses import forbidden_rule

# What no receiver lives at, as first and last address: copied from IANA's registries of special-purpose addresses, and
# not from the code. The rest of IPv4 may be called, and the rest of 2000::/3.
SPECIAL = {
    "this network": ("0.0.0.0", "0.255.255.255"),  # noqa: S104 - never called, so never bound either
    "private 10": ("10.0.0.0", "10.255.255.255"),
    "carrier-grade NAT": ("100.64.0.0", "100.127.255.255"),
    "loopback": ("127.0.0.0", "127.255.255.255"),
    "Azure's platform": ("168.63.129.16", "168.63.129.16"),
    "link-local": ("169.254.0.0", "169.254.255.255"),
    "private 172": ("172.16.0.0", "172.31.255.255"),
    "protocol assignments": ("192.0.0.0", "192.0.0.255"),
    "documentation 1": ("192.0.2.0", "192.0.2.255"),
    "AS112 by DNAME": ("192.31.196.0", "192.31.196.255"),
    "AMT": ("192.52.193.0", "192.52.193.255"),
    "6to4 relays": ("192.88.99.0", "192.88.99.255"),
    "private 192": ("192.168.0.0", "192.168.255.255"),
    "AS112": ("192.175.48.0", "192.175.48.255"),
    "benchmarks": ("198.18.0.0", "198.19.255.255"),
    "documentation 2": ("198.51.100.0", "198.51.100.255"),
    "documentation 3": ("203.0.113.0", "203.0.113.255"),
    "multicast, reserved, broadcast": ("224.0.0.0", "255.255.255.255"),
    "protocol assignments, IPv6": ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
    "documentation, IPv6": ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    "6to4": ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    "AS112, IPv6": ("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff"),
    "documentation 2, IPv6": ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
    # Beside the mapped ones, which are judged as what they map.
    "below global unicast": ("0:0:0:1::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    "above global unicast": ("4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
}

# Address to the rule that its refusal names.
RULES = {
    "0.0.0.0": "unspecified",  # noqa: S104 - never called, so never bound either
    "0.1.2.3": "reserved",
    "10.0.0.1": "private",
    "100.64.0.1": "shared (carrier-grade NAT)",
    "100.100.100.200": "metadata service",
    "127.0.0.1": "loopback",
    "168.63.129.16": "metadata service",
    "169.254.1.1": "link-local, where metadata services live",
    "169.254.169.254": "metadata service",
    "169.254.170.2": "metadata service",
    "172.16.0.1": "private",
    "192.0.0.1": "protocol assignment",
    "192.0.0.9": "protocol assignment",
    "192.0.0.192": "metadata service",
    "192.0.2.1": "documentation",
    "192.31.196.1": "DNS sink (AS112)",
    "192.52.193.1": "multicast relay (AMT)",
    "192.88.99.1": "6to4 relay",
    "192.168.1.1": "private",
    "192.175.48.1": "DNS sink (AS112)",
    "198.18.0.1": "benchmark",
    "198.51.100.1": "documentation",
    "203.0.113.1": "documentation",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "broadcast",
    "::": "unspecified",
    "::1": "loopback",
    "::127.0.0.1": "reserved",
    "::ffff:10.0.0.1": "private",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:169.254.169.254": "metadata service",
    "::ffff:0:127.0.0.1": "reserved",
    "64:ff9b::8.8.8.8": "NAT64",
    "64:ff9b::10.0.0.1": "private",
    "64:ff9b::127.0.0.1": "loopback",
    "64:ff9b::169.254.169.254": "metadata service",
    "64:ff9b:1::8.8.8.8": "NAT64",
    "64:ff9b:1::10.0.0.1": "private",
    "100::1": "discard-only",
    "100:0:0:1::1": "dummy",
    # Server 65.54.227.120, client 192.168.1.1 or 8.8.8.8 (its bits inverted).
    "2001:0:4136:e378:8000:63bf:3f57:fefe": "private",
    "2001:0:4136:e378:8000:63bf:f7f7:f7f7": "Teredo tunnel",
    "2001:1::1": "protocol assignment",
    "2001:2::1": "benchmark",
    "2001:3::1": "multicast relay (AMT)",
    "2001:4:112::1": "DNS sink (AS112)",
    "2001:10::1": "protocol assignment",
    "2001:20::1": "protocol assignment",
    "2001:db8::1": "documentation",
    "2002:7f00:1::": "loopback",
    "2002:a00:1::1": "private",
    "2002:a9fe:a9fe::": "metadata service",
    "2002:808:808::1": "6to4 tunnel",
    "2620:4f:8000::1": "DNS sink (AS112)",
    "3fff::1": "documentation",
    "4000::1": "reserved",
    "5f00::1": "segment routing",
    "fc00::1": "private",
    "fd00::1": "private",
    "fd00:ec2::254": "metadata service",
    "fd20:ce::254": "metadata service",
    "fe80::1": "link-local, where metadata services live",
    "fe80::1%eth0": "link-local, where metadata services live",
    "fec0::1": "private",
    "ff02::1": "multicast",
    "ff0e::1": "multicast",
}
PUBLIC = (
    "8.8.8.8",
    "1.1.1.1",
    "93.184.215.14",
    "9.255.255.255",
    "11.0.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "168.63.129.15",
    "168.63.129.17",
    "172.15.255.255",
    "172.32.0.1",
    "169.253.255.255",
    "192.167.255.255",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "::ffff:8.8.8.8",
)


def is_special(address: IPv4Address | IPv6Address) -> bool:
    number = int(address)
    return any(
        int(ip_address(first)) <= number <= int(ip_address(last))
        for first, last in SPECIAL.values()
        if ip_address(first).version == address.version
    )


@pytest.mark.parametrize(("address", "rule"), RULES.items())
def test_refusal_names_its_rule_when_the_address_is_not_public(address: str, rule: str) -> None:
    assert forbidden_rule(address, []) == rule


@pytest.mark.parametrize(("first", "last"), SPECIAL.values(), ids=SPECIAL.keys())
def test_special_addresses_are_never_called_and_their_neighbours_are(first: str, last: str) -> None:
    start, end = ip_address(first), ip_address(last)
    for address in (start, start + (int(end) - int(start)) // 3, end):
        assert forbidden_rule(str(address), []), str(address)
    for neighbour in _neighbours(start, end):
        assert (forbidden_rule(str(neighbour), []) is not None) == is_special(neighbour), str(neighbour)


def _neighbours(start: IPv4Address | IPv6Address, end: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    # The neighbour below of what is mapped is mapped itself.
    before = [start - 1] if int(start) > 1 << 64 or (start.version == 4 and int(start)) else []
    return before + ([end + 1] if int(end) + 1 < 1 << end.max_prefixlen else [])


@pytest.mark.parametrize("address", PUBLIC)
def test_address_may_be_called_when_it_is_public(address: str) -> None:
    assert forbidden_rule(address, []) is None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("127.0.0.1", "127.0.0.0/8"),
        ("10.1.2.3", "10.1.0.0/16"),
        ("::1", "::1/128"),
        ("fd00::1", "fd00::/8"),
        ("fe80::1%eth0", "fe80::/10"),
    ],
)
def test_address_may_be_called_when_its_network_is_allowed(address: str, network: str) -> None:
    assert forbidden_rule(address, [])
    assert forbidden_rule(address, [ip_network("192.0.2.0/24"), ip_network(network)]) is None


def test_other_addresses_stay_forbidden_when_a_network_is_allowed() -> None:
    allowed = [ip_network("10.1.0.0/16")]
    assert forbidden_rule("10.2.0.1", allowed)
    assert forbidden_rule("::1", allowed)
    assert forbidden_rule("::ffff:10.2.0.1", allowed)


def test_nat64_leads_to_public_hosts_alone_when_its_network_is_allowed() -> None:
    assert forbidden_rule("64:ff9b::8.8.8.8", [])
    assert forbidden_rule("64:ff9b::8.8.8.8", [ip_network("64:ff9b::/96")]) is None
    assert forbidden_rule("64:ff9b::10.0.0.1", [ip_network("64:ff9b::/96")])


@given(address=st.ip_addresses(v=4))
def test_ipv4_is_called_exactly_when_it_is_not_special(address: IPv4Address) -> None:
    assert (forbidden_rule(str(address), []) is None) == (not is_special(address))


@given(address=st.ip_addresses(v=6))
def test_ipv6_is_called_exactly_when_it_is_not_special(address: IPv6Address) -> None:
    mapped = address.ipv4_mapped
    special = is_special(address if mapped is None else mapped) or (mapped is None and int(address) < 1 << 64)
    assert (forbidden_rule(str(address), []) is None) == (not special)


@given(address=st.ip_addresses())
def test_address_is_never_called_when_the_standard_library_knows_it_as_special(
    address: IPv4Address | IPv6Address,
) -> None:
    if forbidden_rule(str(address), []) is None:
        plain = (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
        assert plain.is_global
        assert not plain.is_multicast


@given(inner=st.ip_addresses(v=4))
def test_wrapped_address_is_judged_as_its_inner_one_when_that_is_forbidden(inner: IPv4Address) -> None:
    if forbidden_rule(str(inner), []) is None:
        return
    number = int(inner)
    wrapped = (
        IPv6Address(f"::ffff:{inner}"),
        IPv6Address(f"64:ff9b::{inner}"),
        IPv6Address((0x2002 << 112) | (number << 80)),
        IPv6Address((0x20010000 << 96) | (0x08080808 << 64) | (number ^ 0xFFFFFFFF)),
    )
    for address in wrapped:
        assert forbidden_rule(str(address), []), str(address)


@given(address=st.ip_addresses())
def test_every_address_may_be_called_when_all_networks_are_allowed(address: IPv4Address | IPv6Address) -> None:
    everywhere = [ip_network("0.0.0.0/0"), ip_network("::/0")]
    assert forbidden_rule(str(address), everywhere) is None
    assert ip_address(str(address)) == address
