"""How browsers reach the console."""

from typing import NamedTuple

from coro_events.runtime.clock import Clock
from services.api.sessions.cookies import Cookies


class Front(NamedTuple):
    """How browsers reach the console, and what time it is there.

    Attributes:
        origin: Where, such as `https://webhooks.example.com`; none where any name of this machine is good.
    """

    cookies: Cookies
    clock: Clock
    origin: str | None = None
