"""Reading ahead: the next batch is read while one is planned."""

import pytest

from coro_events.errors import BrokerUnavailableError
from services.dispatcher.intake.ahead import ReadAhead
from services.dispatcher.intake.batch import Decoded
from tests.support.clock import FakeClock
from tests.support.dispatching import record_of
from tests.support.fakes import FakeOffsets, FakeSource, FakeStore
from tests.support.makers import make_event
from tests.support.waiting import let_others_run

BATCH = 2


class Room:
    def __init__(self, clock: FakeClock) -> None:
        self.source = FakeSource(FakeOffsets(FakeStore(clock)), batch_records=BATCH)
        # What each reading was told to be read and not planned.
        self.unplanned: list[int] = []
        self.ahead = ReadAhead(self.source, webhooks_topic="coro.webhooks", fits=self._fits)

    def _fits(self, unplanned: int) -> int:
        self.unplanned.append(unplanned)
        return BATCH

    def write(self, count: int) -> None:
        self.source.log += [record_of(make_event()) for _ in range(count)]


@pytest.fixture
def room(clock: FakeClock) -> Room:
    return Room(clock)


def offsets(decoded: Decoded) -> list[tuple[int, int]]:
    return [(span.first_offset, span.next_offset) for span in decoded.spans]


async def test_next_batch_is_read_before_it_is_asked_for(room: Room) -> None:
    room.write(3 * BATCH)
    assert offsets(await room.ahead.next()) == [(0, 2)]
    await let_others_run()
    assert room.source.batches == [2, 2]
    assert offsets(await room.ahead.next()) == [(2, 4)]
    await room.ahead.drop()


async def test_room_of_what_is_not_planned_yet_is_counted(room: Room) -> None:
    room.write(BATCH)
    await room.ahead.next()
    await let_others_run()
    assert room.unplanned == [0, BATCH]
    await room.ahead.drop()


async def test_next_batch_is_read_when_it_is_asked_for_where_there_is_no_backlog(room: Room) -> None:
    room.write(BATCH - 1)
    await room.ahead.next()
    room.write(BATCH)
    await let_others_run()
    assert room.source.batches == [BATCH - 1]
    assert offsets(await room.ahead.next()) == [(1, 3)]
    await room.ahead.drop()


async def test_batch_that_was_read_ahead_is_read_again_when_it_was_dropped(room: Room) -> None:
    room.write(2 * BATCH)
    await room.ahead.next()
    await let_others_run()
    await room.ahead.drop()
    await room.source.reposition()
    assert offsets(await room.ahead.next()) == [(0, 2)]
    await room.ahead.drop()


async def test_reading_goes_on_when_kafka_was_away(room: Room) -> None:
    room.write(BATCH)
    room.source.is_away = True
    with pytest.raises(BrokerUnavailableError):
        await room.ahead.next()
    room.source.is_away = False
    assert offsets(await room.ahead.next()) == [(0, 2)]
    await room.ahead.drop()


async def test_failure_of_a_batch_that_nobody_wants_is_nobodys_concern(room: Room) -> None:
    room.write(BATCH)
    await room.ahead.next()
    room.source.is_away = True
    await let_others_run()
    await let_others_run()
    await room.ahead.drop()
