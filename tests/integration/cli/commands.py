"""Runs the coro command in a thread of its own: it starts a loop, and the tests have one already."""

import asyncio
import json
from typing import Any

from tests.unit.cli.running import refused, run


async def coro(*arguments: str) -> list[dict[str, Any]]:
    """Run `coro … --json` outside of the loop of the tests; return each line of its answer."""
    result = await asyncio.to_thread(run, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


async def told(*arguments: str) -> str:
    """Run `coro …` outside of the loop of the tests; return what it tells people."""
    result = await asyncio.to_thread(run, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


async def why_not(*arguments: str) -> str:
    """Run `coro …` outside of the loop of the tests; return its one sentence of refusal."""
    return await asyncio.to_thread(refused, *arguments)
