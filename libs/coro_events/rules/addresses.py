"""Which addresses are never called: all that is not one public host, unless a setting opens it.

The networks are written down here and not asked of the running Python, whose idea of "global" changed between patch
releases. They are those of the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), with the multicast
ranges of RFC 5771 and RFC 4291. What the registries call globally reachable is refused as well where no receiver can
be behind it: anycast services, relays, ways from IPv6 into IPv4.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# A machine's own keys and passwords are told there to whoever asks. A rule of its own, because some are public.
METADATA = (
    # Amazon, Google, Azure, OpenStack, DigitalOcean and others.
    "169.254.169.254",
    # Amazon, of a container.
    "169.254.170.2",
    # Amazon and Google over IPv6.
    "fd00:ec2::254",
    "fd20:ce::254",
    # Oracle.
    "192.0.0.192",
    # Alibaba.
    "100.100.100.200",
    # Azure's platform.
    "168.63.129.16",
)

# In each list the narrower network comes first.
IPV4 = (
    ("0.0.0.0/32", "unspecified"),  # RFC 1122
    ("0.0.0.0/8", "reserved"),  # RFC 791: this network
    ("10.0.0.0/8", "private"),  # RFC 1918
    ("100.64.0.0/10", "shared (carrier-grade NAT)"),  # RFC 6598
    ("127.0.0.0/8", "loopback"),  # RFC 1122
    ("169.254.0.0/16", "link-local, where metadata services live"),  # RFC 3927
    ("172.16.0.0/12", "private"),  # RFC 1918
    ("192.0.0.0/24", "protocol assignment"),  # RFC 6890, with all its parts
    ("192.0.2.0/24", "documentation"),  # RFC 5737
    ("192.31.196.0/24", "DNS sink (AS112)"),  # RFC 7535
    ("192.52.193.0/24", "multicast relay (AMT)"),  # RFC 7450
    ("192.88.99.0/24", "6to4 relay"),  # RFC 7526
    ("192.168.0.0/16", "private"),  # RFC 1918
    ("192.175.48.0/24", "DNS sink (AS112)"),  # RFC 7534
    ("198.18.0.0/15", "benchmark"),  # RFC 2544
    ("198.51.100.0/24", "documentation"),  # RFC 5737
    ("203.0.113.0/24", "documentation"),  # RFC 5737
    ("224.0.0.0/4", "multicast"),  # RFC 5771
    ("255.255.255.255/32", "broadcast"),  # RFC 919
    ("240.0.0.0/4", "reserved"),  # RFC 1112
)
IPV6 = (
    ("::/128", "unspecified"),  # RFC 4291
    ("::1/128", "loopback"),  # RFC 4291
    ("64:ff9b::/96", "NAT64"),  # RFC 6052
    ("64:ff9b:1::/48", "NAT64"),  # RFC 8215
    ("100::/64", "discard-only"),  # RFC 6666
    ("100:0:0:1::/64", "dummy"),  # RFC 9780
    ("2001::/32", "Teredo tunnel"),  # RFC 4380
    ("2001:2::/48", "benchmark"),  # RFC 5180
    ("2001:3::/32", "multicast relay (AMT)"),  # RFC 7450
    ("2001:4:112::/48", "DNS sink (AS112)"),  # RFC 7535
    ("2001::/23", "protocol assignment"),  # RFC 2928, with all its parts: PCP, TURN, DNS-SD, ORCHID, drones
    ("2001:db8::/32", "documentation"),  # RFC 3849
    ("2002::/16", "6to4 tunnel"),  # RFC 3056
    ("2620:4f:8000::/48", "DNS sink (AS112)"),  # RFC 7534
    ("3fff::/20", "documentation"),  # RFC 9637
    ("5f00::/16", "segment routing"),  # RFC 9602
    ("fc00::/7", "private"),  # RFC 4193: unique local
    ("fe80::/10", "link-local, where metadata services live"),  # RFC 4291
    ("fec0::/10", "private"),  # RFC 3879: site-local
    ("ff00::/8", "multicast"),  # RFC 4291
)

# All that IANA gives to hosts (RFC 4291, section 2.4); the rest of IPv6 is reserved.
_GLOBAL_UNICAST = int(IPv6Address("2000::")) >> 125

# NAT64: the last 32 bits are an IPv4 address.
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))

# Bits of a network, its mask, and the rule: one comparison of numbers each, because this is asked at every connect.
_Ranges = tuple[tuple[int, int, str], ...]


def _ranges(version: int, networks: Sequence[tuple[str, str]]) -> _Ranges:
    metadata = [(ip_network(address), "metadata service") for address in METADATA]
    named = metadata + [(ip_network(network), rule) for network, rule in networks]
    return tuple(
        (int(network.network_address), int(network.netmask), rule)
        for network, rule in named
        if network.version == version
    )


_IPV4_RANGES = _ranges(4, IPV4)
_IPV6_RANGES = _ranges(6, IPV6)


class ForbiddenAddressError(OSError):
    """The address is one that is never called."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def forbidden_rule(text: str, allowed: Sequence[Network]) -> str | None:
    """Return the rule that forbids calling an address, or none where it may be called.

    Args:
        text: An IPv4 or IPv6 address, as a socket is given it (a zone index is ignored).
        allowed: Networks that may be called although they are not public.
    """
    address = ip_address(text.partition("%")[0])
    for form in (*_inner(address), address):
        if any(form in network for network in allowed if network.version == form.version):
            continue
        rule = _rule_of(form)
        if rule is not None:
            return rule
    return None


def _inner(address: Address) -> list[Address]:
    """Return the IPv4 addresses that an IPv6 one leads to: mapped, 6to4, Teredo or NAT64."""
    if isinstance(address, IPv4Address):
        return []
    inner: list[Address | None] = [address.ipv4_mapped, address.sixtofour]
    inner += list(address.teredo or ())
    if any(address in network for network in _NAT64):
        inner.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [form for form in inner if form is not None]


def _rule_of(address: Address) -> str | None:
    number = int(address)
    for start, mask, rule in _IPV4_RANGES if isinstance(address, IPv4Address) else _IPV6_RANGES:
        if number & mask == start:
            return rule
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None and number >> 125 != _GLOBAL_UNICAST:
        return "reserved"
    return None
