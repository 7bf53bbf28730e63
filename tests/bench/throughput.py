"""Scenarios 1 and 2: events already in Kafka, one dispatcher, one webhook an event or ten."""

import asyncio
import json
import sys
from typing import Any

import httpx
from sqlalchemy import text

from coro_events.contract.topics import TOPICS
from tests.bench.figures import Figure
from tests.bench.stand import PARTITIONS
from tests.support.kafka import create_topics
from tests.support.load import make_tree, produce
from tests.support.stand import Stand
from tests.support.waiting import wait_until

# Requests that the floor has under way, and the dispatcher may have to one webhook.
CONCURRENCY = 128
TO_ONE_WEBHOOK = 64
LIMIT_S = 120.0


async def measure_floor(stand: Stand, urls: list[str], count: int) -> dict[str, float]:
    """Run the floor as a process; return its requests a second and CPU a request, in microseconds."""
    command = [sys.executable, "-m", "tests.bench.floor", str(count), str(CONCURRENCY), *urls]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    await forget_arrivals(stand)
    value: dict[str, float] = json.loads(output)
    return value


async def forget_arrivals(stand: Stand) -> None:
    """Let the receiver count from nothing."""
    await asyncio.to_thread(_reset, stand)


def _reset(stand: Stand) -> None:
    httpx.get(stand.url("/reset-stats"), timeout=30).raise_for_status()


async def until_arrived(stand: Stand, count: int, limit_s: float = LIMIT_S) -> dict[str, Any]:
    """Wait until so many deliveries are recorded as delivered; return the receiver's statistics."""

    async def all_recorded() -> bool:
        stand.check()
        async with stand.database.read() as connection:
            done = await connection.scalar(text("select count(*) from deliveries where state = 'delivered'"))
        return bool(done >= count)

    await wait_until(all_recorded, what=f"{count} deliveries are recorded", limit_s=limit_s, every_s=0.25)
    return await stand.statistics()


async def throughput(
    stand: Stand, *, scenario: str, events: int, webhooks: int, reach: float, cpu_reach: float
) -> list[Figure]:
    """Preload Kafka, start a dispatcher, and hold its pace against the floor of the same run."""
    paths = [f"/ok/{number}" for number in range(webhooks)]
    await make_tree(stand, paths)
    await produce(stand, events)
    count = events * webhooks
    floor = await measure_floor(stand, [stand.url(path) for path in paths], min(count, 20_000))
    receiver_cpu = (await stand.statistics())["cpu_s"]
    idle_cpu_s = await _idle_cpu_s(stand)
    await _forget_statements(stand)
    # The floor has no limit a receiver; with the default of 16 a webhook would be held back on purpose.
    dispatcher = stand.start_dispatcher(CORO_DISPATCHER_MAX_IN_FLIGHT_PER_WEBHOOK=str(TO_ONE_WEBHOOK))
    statistics = await until_arrived(stand, count)
    statements = await _statements(stand) / count
    took = statistics["last_at"] - statistics["first_at"]
    per_s = statistics["requests"] / took
    cpu_us = (dispatcher.cpu_s() - idle_cpu_s) / count * 1e6
    receiver_us = (statistics["cpu_s"] - receiver_cpu) / count * 1e6
    second = await measure_floor(stand, [stand.url(path) for path in paths], min(count, 20_000))
    floor = {key: (floor[key] + second[key]) / 2 for key in floor}
    ratio, cpu_ratio = per_s / floor["per_s"], cpu_us / floor["cpu_us"]
    return [
        Figure(scenario, "deliveries", per_s, "1/s", floor["per_s"]),
        Figure(scenario, "ratio to the floor", ratio, "x", 1.0, f"≥ {reach:.2f}", ratio >= reach),
        Figure(scenario, "CPU of the dispatcher a delivery", cpu_us, "µs", floor["cpu_us"]),
        Figure(scenario, "CPU ratio to the floor", cpu_ratio, "x", 1.0, f"≤ {cpu_reach:.2f}", cpu_ratio <= cpu_reach),
        Figure(scenario, "CPU of the receiver a delivery", receiver_us, "µs"),
        Figure(scenario, "lost", count - statistics["unique"], "deliveries", None, "0", statistics["unique"] == count),
        Figure(scenario, "duplicates", statistics["duplicates"], "deliveries", None, "0", not statistics["duplicates"]),
        Figure(scenario, "SQL statements a delivery", statements, "", None, "≤ 0.05", statements <= 0.05),
        Figure(scenario, "memory of the dispatcher", dispatcher.memory_mb(), "MB"),
    ]


async def _forget_statements(stand: Stand) -> None:
    async with stand.database.write() as connection:
        await connection.execute(text("create extension if not exists pg_stat_statements"))
        await connection.execute(text("select pg_stat_statements_reset()"))


async def _statements(stand: Stand) -> float:
    """Return how many statements this database has run, transaction control included and our own look not."""
    async with stand.database.read() as connection:
        return float(
            await connection.scalar(
                text(
                    "select coalesce(sum(calls), 0) from pg_stat_statements s join pg_database d on d.oid = s.dbid"
                    " where d.datname = current_database() and s.query not like '%pg_stat_statements%'"
                    " and s.query not like 'select count(*) from deliveries where state%'"
                )
            )
        )


async def _idle_cpu_s(stand: Stand) -> float:
    """Return the CPU that a dispatcher takes to start and join, on topics of its own without a record."""
    prefix = f"{stand.prefix}idle."
    await create_topics(stand.kafka_bootstrap, tuple(prefix + name for name in TOPICS), partitions=PARTITIONS)
    dispatcher = stand.start_dispatcher(CORO_KAFKA_TOPIC_PREFIX=prefix)
    await dispatcher.ready()
    used = dispatcher.cpu_s()
    await dispatcher.stop()
    return used
