"""Where the host of a URL leads, looked up before a webhook is saved."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from coro_events.rules.addresses import Network
from services.api.refusals import Fault, InvalidInput
from services.api.webhooks.hosts import address_in, fault_in_address
from services.api.webhooks.ports import Resolver


class Reach:
    """Refuses URLs that lead where nobody is called.

    It spares people a webhook that can never work. It is no guard: a name may lead elsewhere a second later. The
    guard is the dispatcher's look at the address of each connection it opens.
    """

    def __init__(self, *, resolver: Resolver, allowed: Sequence[Network]) -> None:
        self._resolver = resolver
        self.allowed = allowed

    async def require(self, url: str) -> None:
        """Refuse a URL whose host name has an address that is never called.

        A name that cannot be resolved is accepted: the host may not be there yet, and the test delivery shows it.

        Args:
            url: As the rules of the body have accepted it; a host that is an address was judged there.

        Raises:
            InvalidInput: One of the addresses is forbidden; the fault names the rule and no address.
        """
        host = urlsplit(url).hostname
        if host is None or address_in(host) is not None:
            return
        for address in await self._resolver.resolve(host):
            fault = fault_in_address(address, self.allowed)
            if fault is not None:
                raise InvalidInput(Fault("url", fault))
