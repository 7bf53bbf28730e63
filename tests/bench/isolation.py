"""Scenarios with receivers that hang: what they cost the others, as the p99 of the healthy ones with and without."""

from sqlalchemy import text

from tests.bench.figures import Figure, percentile
from tests.bench.throughput import forget_arrivals
from tests.support.load import make_tree, produce
from tests.support.makers import insert_webhook, make_vault
from tests.support.stand import Stand
from tests.support.waiting import wait_until

NINE_AND_ONE = "9 healthy webhooks, 1 that hangs"
MANY = "800 healthy webhooks, 200 that hang"


async def nine_and_one(stand: Stand, *, rate_per_s: float, events: int) -> list[Figure]:
    """Ten webhooks get every event; then the tenth hangs."""
    await make_tree(stand, [f"/ok/{number}" for number in range(10)])
    dispatcher = stand.start_dispatcher()
    await dispatcher.ready()
    await _healthy_ages(stand, events, rate_per_s, first=0, healthy=10)
    without = await _healthy_ages(stand, events, rate_per_s, first=events, healthy=10)
    await _hang(stand, "/ok/9")
    hanging = await _healthy_ages(stand, events, rate_per_s, first=2 * events, healthy=9)
    return _figures(NINE_AND_ONE, without, hanging, reach=1.2)


async def many(stand: Stand, *, rate_per_s: float, events: int) -> list[Figure]:
    """A thousand workspaces with a webhook each; then 200 of them hang."""
    await make_tree(stand, [], children=1_000)
    vault = make_vault()
    for number in range(1_000):
        await insert_webhook(
            stand.database,
            vault,
            workspace_id=f"ws{number}",
            url=stand.url(f"/ok/{number}"),
            triggers=["protected-users-added"],
        )
    dispatcher = stand.start_dispatcher()
    await dispatcher.ready()
    await _healthy_ages(stand, events, rate_per_s, first=0, healthy=1_000, workspaces=1_000)
    without = await _healthy_ages(stand, events, rate_per_s, first=events, healthy=1_000, workspaces=1_000)
    for number in range(200):
        await _hang(stand, f"/ok/{number * 5}")
    # Every fifth workspace's events go to a receiver that hangs.
    hanging = await _healthy_ages(stand, events, rate_per_s, first=2 * events, healthy=800, workspaces=1_000)
    return _figures(MANY, without, hanging, reach=2.0)


async def _hang(stand: Stand, path: str) -> None:
    async with stand.database.write() as connection:
        await connection.execute(
            text("update webhooks set url = :hanging, revision = revision + 1 where url = :url"),
            {"url": stand.url(path), "hanging": stand.url("/hang" + path)},
        )


async def _healthy_ages(
    stand: Stand, events: int, rate_per_s: float, *, first: int, healthy: int, workspaces: int | None = None
) -> list[float]:
    """Emit at a steady rate; return the ages at the healthy receivers, in milliseconds."""
    await forget_arrivals(stand)
    if workspaces is None:
        await produce(stand, events, rate_per_s=rate_per_s, first=first)
        expected = events * healthy
    else:
        await produce(stand, events, rate_per_s=rate_per_s, first=first, workspaces=workspaces)
        expected = events * healthy // workspaces

    async def all_arrived() -> bool:
        stand.check()
        ages = (await stand.statistics())["ages_ms"]
        return sum(len(some) for path, some in ages.items() if path.startswith("/ok")) >= expected

    await wait_until(all_arrived, what=f"{expected} deliveries at healthy receivers", limit_s=60, every_s=0.5)
    ages = (await stand.statistics())["ages_ms"]
    return [age for path, some in ages.items() if path.startswith("/ok") for age in some]


def _figures(scenario: str, without: list[float], hanging: list[float], *, reach: float) -> list[Figure]:
    before, after = percentile(without, 0.99), percentile(hanging, 0.99)
    ratio = after / before
    return [
        Figure(scenario, "p99 of the healthy ones, all healthy", before, "ms"),
        Figure(scenario, "p99 of the healthy ones, others hang", after, "ms", before),
        Figure(scenario, "ratio of the two", ratio, "x", 1.0, f"≤ {reach:g}", ratio <= reach),
        Figure(
            scenario, "p50 of the healthy ones, others hang", percentile(hanging, 0.5), "ms", percentile(without, 0.5)
        ),
    ]
