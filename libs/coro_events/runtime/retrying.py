"""Retries of our own infrastructure (connect, publish, record): with back-off, until it works or we stop.

Deliveries are not retried here; their schedule is dispatcher/record/retry.py.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from coro_events.runtime.clock import Clock
from coro_events.runtime.logs import get_logger

_log = get_logger("retrying")

Result = TypeVar("Result")

INITIAL_WAIT_S = 0.1
LONGEST_WAIT_S = 5.0


async def until_it_works(
    work: Callable[[], Awaitable[Result]],
    *,
    name: str,
    errors: tuple[type[BaseException], ...],
    clock: Clock,
    stopping: asyncio.Event | None = None,
) -> Result:
    """Run the work until it returns; wait 0.1 s, 0.2 s, … up to 5 s, with jitter, between tries.

    Only the named errors are tried again; others are bugs and leave at once. When `stopping` is set, the error of the
    last try is raised.
    """

    def announce(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        _log.warning("infrastructure.retried", work=name, tries=state.attempt_number, error=repr(error))

    def give_up(_: RetryCallState) -> bool:
        return stopping is not None and stopping.is_set()

    exponential = wait_exponential(multiplier=INITIAL_WAIT_S, max=LONGEST_WAIT_S)

    def wait_s(state: RetryCallState) -> float:
        return min(LONGEST_WAIT_S, exponential(state) + INITIAL_WAIT_S * clock.chance())

    retrying = AsyncRetrying(
        retry=retry_if_exception_type(errors),
        wait=wait_s,
        stop=give_up,
        before_sleep=announce,
        sleep=clock.sleep,
        reraise=True,
    )

    # tenacity asks whether what it calls is a coroutine function, and a lambda that returns an awaitable is none.
    async def once() -> Result:
        return await work()

    return await retrying(once)
