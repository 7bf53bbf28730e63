"""Ends a request that makes no progress: neither something of its body came, nor something of its answer went."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.edge import wide_of
from services.api.problems import problem

RETRY_AFTER_S = 1


class Deadline:
    """Wraps the application; what it cancels is rolled back by the unit of work that it leaves."""

    def __init__(self, app: ASGIApp, *, limit_s: float) -> None:
        self._app = app
        self._limit_s = limit_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer one request in time, or answer in its place.

        Raises:
            TimeoutError: The answer had begun, so all that is left is to break it off.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        has_begun = False
        limit = asyncio.timeout(self._limit_s)

        def goes_on() -> None:
            if not limit.expired():
                limit.reschedule(loop.time() + self._limit_s)

        async def receive_some() -> Message:
            message = await receive()
            goes_on()
            return message

        async def send_some(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)
            goes_on()

        try:
            async with limit:
                await self._app(scope, receive_some, send_some)
        except TimeoutError:
            if has_begun or not limit.expired():
                raise
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = problem(
            status=503,
            slug="away",
            title="The service cannot do this for a moment.",
            detail=f"It made no progress for {self._limit_s:g} s and was given up; look whether it counts.",
            trace_id=wide_of(scope).trace_id,
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
        await answer(scope, receive, send)
