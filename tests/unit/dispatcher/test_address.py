"""Which addresses are never called."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coro_events.rules.addresses import forbidden_rule

FORBIDDEN = {
    "loopback": "127.0.0.1",
    "loopback, its end": "127.255.255.254",
    "loopback, IPv6": "::1",
    "unspecified": "0.0.0.0",  # noqa: S104 - never called, so never bound either
    "this network": "0.1.2.3",
    "unspecified, IPv6": "::",
    "private 10": "10.0.0.1",
    "private 172": "172.16.0.1",
    "private 172, its end": "172.31.255.255",
    "private 192": "192.168.1.1",
    "unique local": "fd00::1",
    "unique local, lower half": "fc00::1",
    "site-local": "fec0::1",
    "link-local": "169.254.1.1",
    "metadata service": "169.254.169.254",
    "metadata service, IPv6": "fd00:ec2::254",
    "link-local, IPv6": "fe80::1",
    "link-local with a zone": "fe80::1%eth0",
    "carrier-grade NAT": "100.64.0.1",
    "carrier-grade NAT, its end": "100.127.255.255",
    "multicast": "224.0.0.1",
    "multicast, its end": "239.255.255.255",
    "multicast, IPv6": "ff02::1",
    "global multicast, IPv6": "ff0e::1",
    "broadcast": "255.255.255.255",
    "reserved": "240.0.0.1",
    "benchmarks": "198.18.0.1",
    "protocol assignments": "192.0.0.1",
    "documentation 1": "192.0.2.1",
    "documentation 2": "198.51.100.1",
    "documentation 3": "203.0.113.1",
    "documentation, IPv6": "2001:db8::1",
    "discard only": "100::1",
    "mapped loopback": "::ffff:127.0.0.1",
    "mapped private": "::ffff:10.0.0.1",
    "mapped metadata service": "::ffff:169.254.169.254",
    "compatible loopback": "::127.0.0.1",
    "NAT64 loopback": "64:ff9b::127.0.0.1",
    "NAT64 private": "64:ff9b::10.0.0.1",
    "NAT64 metadata service": "64:ff9b::169.254.169.254",
    "NAT64 for local use": "64:ff9b:1::10.0.0.1",
    "6to4 loopback": "2002:7f00:1::",
    "6to4 private": "2002:a00:1::1",
    "6to4 metadata service": "2002:a9fe:a9fe::",
    # Server 65.54.227.120, client 192.168.1.1 (its bits inverted).
    "Teredo to a private client": "2001:0:4136:e378:8000:63bf:3f57:fefe",
}
PUBLIC = (
    "8.8.8.8",
    "1.1.1.1",
    "93.184.215.14",
    "9.255.255.255",
    "11.0.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "169.253.255.255",
    "192.167.255.255",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "::ffff:8.8.8.8",
)


@pytest.mark.parametrize("address", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_address_is_never_called_when_it_is_not_public(address: str) -> None:
    assert forbidden_rule(address, [])


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
def test_ipv4_is_called_only_when_it_is_global_and_to_one_host(address: IPv4Address) -> None:
    may_be_called = forbidden_rule(str(address), []) is None
    assert may_be_called == (address.is_global and not address.is_multicast and not address.is_reserved)


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


@given(address=st.ip_addresses(v=6))
def test_ipv6_is_never_called_when_it_is_not_global(address: IPv6Address) -> None:
    if forbidden_rule(str(address), []) is None:
        mapped = address.ipv4_mapped
        assert (mapped or address).is_global
        assert not address.is_multicast


@given(address=st.ip_addresses())
def test_every_address_may_be_called_when_all_networks_are_allowed(address: IPv4Address | IPv6Address) -> None:
    everywhere = [ip_network("0.0.0.0/0"), ip_network("::/0")]
    assert forbidden_rule(str(address), everywhere) is None
    assert ip_address(str(address)) == address
