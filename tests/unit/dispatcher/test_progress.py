"""Which loops count as stuck: those that have work and do not go round, and nobody whom a server keeps waiting."""

from collections.abc import AsyncIterator

import pytest

from services.dispatcher.bells import Progress
from tests.support.clock import FakeClock
from tests.support.dispatching import RawRecord, make_delivery
from tests.support.makers import make_event
from tests.support.waiting import let_others_run, wait_until
from tests.unit.dispatcher.test_pipeline import Room

LIMIT_S = 30.0


@pytest.fixture
def progress(clock: FakeClock) -> Progress:
    made = Progress(clock)
    made.expect({"intake": LIMIT_S, "claim": 2 * LIMIT_S})
    return made


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    room = Room()
    room.webhook()
    yield room
    await room.stop()


async def test_loop_is_stuck_when_its_round_takes_longer_than_its_limit(progress: Progress, clock: FakeClock) -> None:
    await clock.advance(LIMIT_S)
    assert progress.stuck() == {}
    await clock.advance(1)
    assert progress.stuck() == {"intake": LIMIT_S + 1}
    await clock.advance(LIMIT_S)
    assert set(progress.stuck()) == {"intake", "claim"}
    progress.went_round("intake")
    assert set(progress.stuck()) == {"claim"}


async def test_no_other_loop_hides_one_that_stands_still(progress: Progress, clock: FakeClock) -> None:
    for _ in range(4):
        await clock.advance(LIMIT_S / 2)
        progress.went_round("claim")
        progress.went_round("a loop that nobody expects anything of")
    assert set(progress.stuck()) == {"intake"}


async def test_loop_may_stand_still_until_it_has_work(progress: Progress, clock: FakeClock) -> None:
    progress.note("intake", has_work=False)
    await clock.advance(LIMIT_S + 1)
    assert progress.stuck() == {}
    progress.went_round("claim")
    for _ in range(2):
        progress.note("intake", has_work=True)
        assert progress.stuck() == {}
        await clock.advance(LIMIT_S / 2 + 1)
    assert progress.stuck() == {"intake": LIMIT_S + 2}


async def test_all_have_their_whole_time_again_when_it_is_counted_anew(progress: Progress, clock: FakeClock) -> None:
    await clock.advance(3 * LIMIT_S)
    progress.count_anew()
    assert progress.stuck() == {}
    await clock.advance(LIMIT_S + 1)
    assert set(progress.stuck()) == {"intake"}


async def test_record_is_stuck_when_outcomes_wait_and_nobody_writes_them(room: Room) -> None:
    room.start("intake", "deliver", "review")
    room.progress.expect({"record": LIMIT_S})
    await room.clock.sleep(10 * LIMIT_S)
    assert room.progress.stuck() == {}, "there was nothing to record"
    room.emit(make_event())
    await wait_until(lambda: room.lanes.unrecorded, what="an outcome")
    room.start("review")
    await let_others_run()
    await room.clock.sleep(LIMIT_S + 1)
    assert room.progress.stuck() == {"record": LIMIT_S + 1}
    room.start("record")
    await room.until_states("delivered")
    assert room.progress.stuck() == {}


@pytest.mark.parametrize("taken", [False, True], ids=["waiting", "under way"])
async def test_deliver_is_stuck_when_it_does_not_begin_or_does_not_end(*, taken: bool) -> None:
    room = Room()
    room.progress.expect({"deliver": LIMIT_S})
    await room.clock.sleep(10 * LIMIT_S)
    room.start("review")
    await let_others_run()
    assert room.progress.stuck() == {}, "there was nothing to deliver"
    room.lanes.offer([make_delivery()])
    delivery = await room.lanes.take() if taken else None
    room.start("review")
    await let_others_run()
    assert room.progress.stuck() == {}, "it has its whole time"
    await room.clock.sleep(LIMIT_S + 1)
    assert set(room.progress.stuck()) == {"deliver"}
    if delivery is not None:
        room.lanes.done(delivery, sent=False)


async def test_deliver_goes_round_when_one_attempt_hangs_and_others_begin(room: Room) -> None:
    room.lanes.offer([make_delivery()])
    hanging = await room.lanes.take()
    assert hanging is not None
    room.progress.expect({"deliver": LIMIT_S})
    room.start("review")
    await let_others_run()
    await room.clock.sleep(LIMIT_S + 1)
    assert set(room.progress.stuck()) == {"deliver"}
    room.emit(make_event())
    room.start("intake", "deliver", "record")
    await room.until_states("delivered")
    assert room.progress.stuck() == {}
    room.lanes.done(hanging, sent=False)


async def test_deliver_is_not_stuck_when_its_permits_wait_for_the_record(room: Room) -> None:
    room.emit(*(make_event() for _ in range(10)))
    room.start("intake", "deliver")
    await wait_until(lambda: room.lanes.unrecorded == 8, what="all permits to wait for the record")
    assert room.lanes.waiting
    room.progress.expect({"deliver": LIMIT_S})
    room.start("review")
    await let_others_run()
    await room.clock.sleep(LIMIT_S + 1)
    assert room.progress.stuck() == {}
    room.start("record", "claim")
    await room.until_states(*["delivered"] * 10)


async def never_stuck(room: Room, *, duration_s: float) -> None:
    """Let time pass and fail as soon as a loop counts as stuck."""
    end = room.clock.monotonic() + duration_s

    def is_over() -> bool:
        assert room.progress.stuck() == {}
        return room.clock.monotonic() > end

    await wait_until(is_over, what="the time to pass", every_s=0)


async def test_intake_is_not_stuck_when_the_database_is_away(room: Room) -> None:
    await room.source.reposition()
    room.emit(make_event())
    room.store.is_away = True
    room.progress.expect({"intake": LIMIT_S})
    room.start("intake", "deliver", "record")
    await never_stuck(room, duration_s=10 * LIMIT_S)
    room.store.is_away = False
    await room.until_states("delivered")


async def test_intake_is_not_stuck_when_unreadable_records_cannot_be_put_aside(room: Room) -> None:
    room.rejects.is_away = True
    room.source.log.append(RawRecord(b"{"))
    room.progress.expect({"intake": LIMIT_S})
    room.start("intake")
    await never_stuck(room, duration_s=10 * LIMIT_S)
    room.rejects.is_away = False
    await wait_until(lambda: room.rejects.kept, what="the record to be put aside")


async def test_record_is_not_stuck_when_the_database_is_away(room: Room) -> None:
    room.emit(make_event())
    room.start("intake", "deliver")
    await wait_until(lambda: room.lanes.unrecorded, what="an outcome")
    room.store.is_away = True
    room.progress.expect({"record": LIMIT_S})
    room.start("record")
    await never_stuck(room, duration_s=10 * LIMIT_S)
    room.store.is_away = False
    await room.until_states("delivered")


@pytest.mark.parametrize("loop", ["intake", "claim", "hold", "replay", "review", "measure"])
async def test_loop_goes_round_when_there_is_nothing_to_do(room: Room, loop: str) -> None:
    room.progress.expect({loop: LIMIT_S})
    await room.clock.sleep(LIMIT_S + 1)
    assert set(room.progress.stuck()) == {loop}
    room.start(loop)
    await wait_until(lambda: room.progress.stuck() == {}, what=f"{loop} to go round")
