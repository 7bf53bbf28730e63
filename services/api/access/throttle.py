"""Slows down whoever tries out secrets: failed sign-ins are counted by client id and by address."""

import hashlib
import ipaddress

from coro_events.runtime.clock import Clock
from services.api.limits import Buckets
from services.api.refusals import TooManyAttempts

# Failures of one client id at once, and how fast they are forgotten: one in half a minute.
CLIENT_FAILURES = 10
CLIENT_FAILURES_PER_S = 1 / 30
# An address may be an office behind one router.
ADDRESS_FAILURES = 50
ADDRESS_FAILURES_PER_S = 1 / 3
# Whoever has one IPv6 address has all of its network.
_NETWORK_BITS = 64


class FailedAttempts:
    """Counts failed sign-ins in this process; those that succeed cost nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clients = Buckets(rate_per_s=CLIENT_FAILURES_PER_S, burst=CLIENT_FAILURES, clock=clock)
        self._addresses = Buckets(rate_per_s=ADDRESS_FAILURES_PER_S, burst=ADDRESS_FAILURES, clock=clock)

    def require_few(self, *, client_id: str, address: str) -> None:
        """Refuse an attempt before its secret is looked at.

        Raises:
            TooManyAttempts: The client id or the address has failed too often.
        """
        wait_s = max(self._clients.wait_s(_digest(client_id)), self._addresses.wait_s(_network(address)))
        if wait_s > 0:
            raise TooManyAttempts(wait_s)

    def add(self, *, client_id: str, address: str) -> None:
        """Count a failure."""
        self._clients.take(_digest(client_id))
        self._addresses.take(_network(address))


def _digest(client_id: str) -> str:
    """Return a short key: strangers choose the names, and their length."""
    return hashlib.sha256(client_id.encode()).hexdigest()


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), _NETWORK_BITS), strict=False))
