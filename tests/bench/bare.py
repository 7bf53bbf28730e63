"""The floor of the API: a bare FastAPI route, served as ours is, and nothing else done.

Run as a process of its own, like the API: `python -m tests.bench.bare PORT`.
"""

import asyncio
import sys

import uvloop
from fastapi import FastAPI

from coro_events.runtime.ops import serve

app = FastAPI()


@app.get("/")
async def hello() -> dict[str, str]:
    return {"hello": "world"}


async def main(port: int) -> None:
    """Serve until the process is ended."""
    await serve(app, host="127.0.0.1", port=port, stopping=asyncio.Event(), http="httptools")


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
