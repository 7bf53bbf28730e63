"""Real schedulers as processes, and what their operators read."""

from contextlib import AbstractContextManager

import httpx

from tests.support.processes import Process, free_port, running


def environ_of(database_url: str, **changes: str) -> dict[str, str]:
    """Return the environment of a scheduler that beats and works fast."""
    return {
        "CORO_ENVIRONMENT": "local",
        "CORO_DATABASE_URL": database_url,
        "CORO_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "CORO_SCHEDULER_HEARTBEAT_S": "0.2",
        "CORO_SCHEDULER_INTERVAL_S": "0.5",
        "CORO_SCHEDULER_SILENCE_S": "2",
        **changes,
    }


class Scheduler:
    """One scheduler that is about to run."""

    def __init__(self, database_url: str, **changes: str) -> None:
        self._port = free_port()
        self._environ = environ_of(database_url, CORO_OPS_PORT=str(self._port), **changes)

    def start(self) -> AbstractContextManager[Process]:
        """Run it for a block."""
        return running("services.scheduler", environ=self._environ)

    async def get(self, path: str) -> httpx.Response | None:
        """Ask what it says about itself; none while it does not listen."""
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            try:
                return await client.get(f"http://127.0.0.1:{self._port}{path}")
            except httpx.TransportError:
                return None

    async def metric(self, name: str) -> float | None:
        """Return one figure, its labels being part of the name; none where there is none."""
        answer = await self.get("/metrics")
        if answer is None:
            return None
        figures = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
        return float(figures[name]) if name in figures else None

    async def leads(self) -> bool:
        """Tell whether it says that it is the one at work."""
        return await self.metric("coro_scheduler_leader") == 1
