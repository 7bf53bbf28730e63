"""A resolver that knows what the test tells it; tests/contract/api holds it to the promises of the real one."""

from collections.abc import Mapping, Sequence


class FakeResolver:
    """Satisfies `Resolver` without a network.

    Attributes:
        asked: Every host that was looked up, in order.
    """

    def __init__(self, addresses: Mapping[str, Sequence[str]] | None = None) -> None:
        self.asked: list[str] = []
        self._addresses = {"localhost": ("127.0.0.1", "::1")} | dict(addresses or {})

    async def resolve(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        return self._addresses.get(host, ())
