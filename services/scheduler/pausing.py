"""Waiting that ends early when the process is to stop."""

import asyncio

from coro_events.runtime.clock import Clock


async def pause(clock: Clock, duration_s: float, stopping: asyncio.Event) -> None:
    """Wait for so many seconds, or until `stopping` is set."""
    sleeping = asyncio.ensure_future(clock.sleep(duration_s))
    waiting = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait([sleeping, waiting], return_when=asyncio.FIRST_COMPLETED)
    finally:
        sleeping.cancel()
        waiting.cancel()
