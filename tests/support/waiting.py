"""The only place of the tests that may wait: for a condition, with a limit and a message."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

Answer = TypeVar("Answer")

INTERVAL_S = 0.01
# Enough turns for a task to go through several awaits that need no outside event.
TURNS = 20


@overload
async def wait_until(
    condition: Callable[[], Awaitable[Answer | None]], *, what: str, limit_s: float = ..., every_s: float = ...
) -> Answer: ...


@overload
async def wait_until(
    condition: Callable[[], Answer | None], *, what: str, limit_s: float = ..., every_s: float = ...
) -> Answer: ...


async def wait_until(
    condition: Callable[[], Any], *, what: str, limit_s: float = 30.0, every_s: float = INTERVAL_S
) -> Any:
    """Ask until the condition holds and return its answer.

    Args:
        condition: Plain or async; anything true ends the waiting.
        what: The end of the sentence "waited … s for", such as "the delivery to be recorded".
        limit_s: How long to ask, in seconds of the real clock.
        every_s: How long between two questions; longer where asking is dear.

    Raises:
        AssertionError: The condition did not hold within the limit.
    """
    end_s = time.monotonic() + limit_s
    while True:
        asked = condition()
        answer = await asked if inspect.isawaitable(asked) else asked
        if answer:
            return answer
        if time.monotonic() >= end_s:
            raise AssertionError(f"waited {limit_s:g} s for {what}; last answer: {answer!r}")
        await asyncio.sleep(every_s)  # noqa: TID251 - the one place that may wait


async def let_others_run() -> None:
    """Give the other tasks of this loop their turns; no time passes."""
    for _ in range(TURNS):
        await asyncio.sleep(0)  # noqa: TID251 - yields only
