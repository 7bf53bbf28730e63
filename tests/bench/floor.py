"""The floor: what bare aiohttp on uvloop carries, the same bodies to the same receiver, and nothing else done.

Run as a process of its own, like the dispatcher: `python -m tests.bench.floor URL COUNT CONCURRENCY`.
"""

import asyncio
import json
import resource
import sys
import time
from uuid import uuid4

import aiohttp
import uvloop

from coro_events.contract.bodies import render_body
from tests.support.load import make_marked_event


async def run(urls: list[str], count: int, concurrency: int) -> dict[str, float]:
    """Post so many bodies, spread over the URLs; return requests a second and CPU seconds a request."""
    event = make_marked_event(0)
    bodies = [
        render_body(
            1,
            event_type=event.trigger.value,
            hook_id=str(uuid4()),
            workspace_id=event.workspace_id,
            occurred_at=event.occurred_at,
            data=event.data,
        )
        for _ in range(64)
    ]
    left = iter(range(count))

    async def post(session: aiohttp.ClientSession) -> None:
        for number in left:
            url = urls[number % len(urls)]
            async with session.post(
                url, data=bodies[number % 64], headers={"Content-Type": "application/json"}
            ) as answer:
                await answer.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        used, started = _cpu_s(), time.perf_counter()
        await asyncio.gather(*[post(session) for _ in range(concurrency)])
        took = time.perf_counter() - started
    return {"per_s": count / took, "cpu_us": (_cpu_s() - used) / count * 1e6}


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(sys.argv[3:], int(sys.argv[1]), int(sys.argv[2])))))  # noqa: T201 - read by a pipe
