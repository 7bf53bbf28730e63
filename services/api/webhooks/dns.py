"""Host names resolved as every program of this machine does, in threads of their own and with a limit."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

LIMIT_S = 2.0
# A name server that hangs keeps this many threads at most, and none that others need.
LOOKUPS_AT_ONCE = 4


def look_up(host: str) -> Sequence[str]:
    """Return the addresses of a host name; this blocks.

    Raises:
        OSError: It cannot be resolved.
    """
    found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class SystemResolver:
    """Satisfies `Resolver` with the resolver of the operating system."""

    def __init__(self, *, limit_s: float = LIMIT_S, look_up: Callable[[str], Sequence[str]] = look_up) -> None:
        self._limit_s = limit_s
        self._look_up = look_up
        self._threads = ThreadPoolExecutor(max_workers=LOOKUPS_AT_ONCE, thread_name_prefix="resolver")

    async def resolve(self, host: str) -> Sequence[str]:
        """Return the addresses that a host name has now; none where it cannot be resolved within the limit."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._limit_s):
                return await loop.run_in_executor(self._threads, self._look_up, host)
        except (TimeoutError, OSError, UnicodeError):
            return ()

    def close(self) -> None:
        """Begin no further look-up; one that hangs is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
