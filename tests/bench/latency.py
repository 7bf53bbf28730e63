"""Scenario 4: a steady rate, from the moment an event is made to its last byte at the receiver."""

from tests.bench.figures import Figure, percentile
from tests.bench.throughput import until_arrived
from tests.support.load import make_tree, produce
from tests.support.stand import Stand

WARM_UP = 400


async def steady(stand: Stand, *, scenario: str, rate_per_s: float, events: int) -> list[Figure]:
    """Emit at a steady rate to one webhook; the first two seconds warm up and do not count."""
    await make_tree(stand, ["/ok/0"])
    dispatcher = stand.start_dispatcher()
    await dispatcher.ready()
    count = WARM_UP + events
    await produce(stand, count, rate_per_s=rate_per_s)
    statistics = await until_arrived(stand, count, limit_s=60)
    ages_ms = statistics["ages_ms"].get("/ok/0", [])[WARM_UP:]
    p50, p95, p99 = (percentile(ages_ms, share) for share in (0.50, 0.95, 0.99))
    return [
        Figure(scenario, "age at the receiver, p50", p50, "ms", None, "≤ 3", p50 <= 3),
        Figure(scenario, "age at the receiver, p95", p95, "ms"),
        Figure(scenario, "age at the receiver, p99", p99, "ms", None, "≤ 10", p99 <= 10),
        Figure(scenario, "lost", count - statistics["unique"], "deliveries", None, "0", statistics["unique"] == count),
        Figure(scenario, "duplicates", statistics["duplicates"], "deliveries", None, "0", not statistics["duplicates"]),
    ]
