"""Resolvers that know what the test tells them; tests/contract holds them to the promises of the real ones."""

import socket
from collections.abc import Mapping, Sequence

from services.dispatcher.deliver.guard import AddressInfo
from services.dispatcher.deliver.pool import look_up


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


class FakeLookup:
    """Satisfies the dispatcher's `Lookup` without a network.

    A host has answers, one for each time it is asked; the last one stays. An answer is the host's addresses, or the
    number of an error (`socket.EAI_…`).

    Attributes:
        asked: Every host that was looked up, in order.
    """

    def __init__(self, answers: Mapping[str, Sequence[Sequence[str] | int]] | None = None) -> None:
        self.asked: list[str] = []
        known: dict[str, Sequence[Sequence[str] | int]] = {"localhost": [["127.0.0.1"]], "127.0.0.1": [["127.0.0.1"]]}
        self._answers = known | dict(answers or {})

    def __call__(self, host: str, port: int) -> Sequence[AddressInfo]:
        answers = self._answers.get(host, [socket.EAI_NONAME])
        answer = answers[min(self.asked.count(host), len(answers) - 1)]
        self.asked.append(host)
        if isinstance(answer, int):
            raise socket.gaierror(answer, "told by the test")
        # An address is read, and nobody is asked for it.
        return [info for address in answer for info in look_up(address, port)]
