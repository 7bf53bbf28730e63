"""What every adapter of `ConsumedOffsets` promises."""

from tests.contract.dispatcher.worlds import World

FIRST, SECOND, OTHER = ("coro.events", 0), ("coro.events", 1), ("coro.webhooks", 0)


async def test_partition_begins_at_its_start_when_it_was_never_seen(world: World) -> None:
    assert await world.offsets.load({FIRST: 0, SECOND: 17, OTHER: 3}) == {FIRST: 0, SECOND: 17, OTHER: 3}


async def test_known_partition_goes_on_where_it_was(world: World) -> None:
    await world.offsets.load({FIRST: 5})
    assert await world.offsets.load({FIRST: 99, SECOND: 1}) == {FIRST: 5, SECOND: 1}


async def test_rewound_partition_begins_again(world: World) -> None:
    await world.offsets.load({FIRST: 5, SECOND: 6})
    await world.offsets.rewind({FIRST: 2})
    assert await world.offsets.load({FIRST: 0, SECOND: 0}) == {FIRST: 2, SECOND: 6}


async def test_nothing_is_loaded_for_no_partition(world: World) -> None:
    assert await world.offsets.load({}) == {}
    await world.offsets.rewind({})
