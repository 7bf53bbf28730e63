"""Which addresses are never called: all that is not one public host, unless a setting opens it."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Well-known prefix of NAT64 (RFC 6052) and its local-use sibling (RFC 8215): the last 32 bits are an IPv4 address.
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


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
    for form in (address, *_inner(address)):
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
    named = (
        (address.is_loopback, "loopback"),
        (address.is_link_local, "link-local, where metadata services live"),
        (address.is_multicast, "multicast"),
        (address.is_unspecified, "unspecified"),
        (isinstance(address, IPv6Address) and address.ipv4_mapped is not None, ""),
        (address.is_private or (isinstance(address, IPv6Address) and address.is_site_local), "private"),
        (address.is_reserved, "reserved"),
        (not address.is_global, "not globally routable"),
    )
    for holds, rule in named:
        if holds:
            return rule or None
    return None
