"""Run every scenario and print the table: `make bench`, or `python -m tests.bench NAME …` for some of them."""

import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from tests.bench.api import api
from tests.bench.backlog import million
from tests.bench.console import console
from tests.bench.figures import Figure, show, write
from tests.bench.isolation import many, nine_and_one
from tests.bench.latency import steady
from tests.bench.matching import large_tree
from tests.bench.stand import servers, stand
from tests.bench.sunset import sunset
from tests.bench.throughput import throughput
from tests.support.stand import Stand

KEPT = Path(".local/bench/latest.json")

SCENARIOS: dict[str, Callable[[Stand], Awaitable[list[Figure]]]] = {
    "one": lambda where: throughput(
        where, scenario="20,000 events, 1 webhook", events=20_000, webhooks=1, reach=0.50, cpu_reach=1.9
    ),
    "ten": lambda where: throughput(
        where, scenario="3,000 events, 10 webhooks", events=3_000, webhooks=10, reach=0.60, cpu_reach=1.6
    ),
    "nine": lambda where: nine_and_one(where, rate_per_s=60, events=900),
    "many": lambda where: many(where, rate_per_s=300, events=4_500),
    "million": million,
    "match": large_tree,
    "steady": lambda where: steady(where, scenario="steady 200 events/s", rate_per_s=200, events=4_000),
    "api": api,
    "console": console,
    "sunset": sunset,
}


async def run(names: list[str], folder: Path) -> list[Figure]:
    """Run the named scenarios, each on a stand of its own."""
    figures: list[Figure] = []
    async with servers(folder) as where:
        for name in names or list(SCENARIOS):
            print(f"{name} …", flush=True)  # noqa: T201 - somebody waits in front of a screen
            async with stand(where, folder) as made:
                figures += await SCENARIOS[name](made)
    return figures


def measure(names: list[str]) -> list[Figure]:
    """Run scenarios on servers of their own."""
    with tempfile.TemporaryDirectory(prefix="coro-bench-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        return uvloop.run(run(names, folder))


def main(names: list[str], *, measure: Callable[[list[str]], list[Figure]] = measure, kept: Path = KEPT) -> int:
    """Run scenarios, show and keep their figures; return 1 where one is not reached."""
    figures = measure(names)
    show(figures, f"Coro Webhooks on {os.cpu_count()} cores")
    write(figures, kept)
    return 0 if all(one.holds is not False for one in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
