"""The address guard: looks at each address at the moment of connecting to it, and trusts no earlier look.

A check at any other time can be led astray: a name may give another answer between the check and its use. The rules
are in coro_events/rules/addresses.py.
"""

import socket
from collections.abc import Sequence

from coro_events.rules.addresses import ForbiddenAddressError, Network, forbidden_rule

# What `getaddrinfo` gives: family, type, protocol, canonical name, address.
_Address = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
AddressInfo = tuple[int, int, int, str, _Address]


class AddressGuard:
    """Opens the sockets of one connecting, those to forbidden addresses excepted.

    Attributes:
        refusal: The first address that was refused; none where each might be called.
    """

    __slots__ = ("_allowed", "refusal")

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed
        self.refusal: ForbiddenAddressError | None = None

    def open_socket(self, info: AddressInfo) -> socket.socket:
        """Return a socket for this one address, not yet connected.

        Raises:
            ForbiddenAddressError: It is never called; the others of its name are judged by themselves.
        """
        family, kind, protocol, _, address = info
        rule = forbidden_rule(str(address[0]), self._allowed)
        if rule is not None:
            refusal = ForbiddenAddressError(rule)
            self.refusal = self.refusal or refusal
            raise refusal
        opened = socket.socket(family=family, type=kind, proto=protocol)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened
