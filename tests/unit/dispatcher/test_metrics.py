"""What the metrics and the wide lines tell of the work, on fakes."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from tests.support.clock import START
from tests.support.makers import make_event
from tests.support.waiting import wait_until
from tests.unit.dispatcher.test_pipeline import Room

ATTEMPT = {
    "at",
    "level",
    "service",
    "room",
    "event",
    "hook_id",
    "webhook_id",
    "workspace_id",
    "type",
    "kind",
    "attempt",
    "outcome",
    "status",
    "duration_ms",
    "age_ms",
    "state",
    "again_in_s",
    "traceparent",
}


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    room = Room()
    yield room
    await room.stop()


def attempts(written: str) -> list[dict[str, Any]]:
    """Return the lines of attempts."""
    return [json.loads(line) for line in written.splitlines() if '"delivery.attempted"' in line]


async def test_age_counts_from_the_event_to_the_acknowledgement_of_what_arrived(room: Room) -> None:
    room.webhook()
    room.webhook("/status/500")
    room.emit(make_event(occurred_at=room.clock.now() - timedelta(seconds=100)))
    room.start()
    await room.until_states("delivered", "failed")
    assert room.count("coro_delivery_age_seconds_count") == 1, "what did not arrive has no age"
    assert room.count("coro_delivery_age_seconds_bucket", le="60") == 0
    assert room.count("coro_delivery_age_seconds_bucket", le="600") == 1
    assert room.count("coro_delivery_age_seconds_sum") == pytest.approx(100, abs=10)
    assert room.count("coro_attempt_seconds_count") == 5


async def test_batch_sizes_are_counted_where_batches_are_planned_and_recorded(room: Room) -> None:
    room.webhook()
    room.emit(*(make_event() for _ in range(4)))
    room.start("intake", "deliver")
    await wait_until(lambda: room.lanes.unrecorded == 4, what="four outcomes")
    room.start("record")
    await room.until_states(*["delivered"] * 4)
    for name in ("coro_intake_batch_records", "coro_record_batch_outcomes"):
        assert (room.count(f"{name}_count"), room.count(f"{name}_sum")) == (1, 4), name


async def test_backlog_tells_what_is_due_and_for_how_long(room: Room) -> None:
    room.webhook()
    room.webhook()
    assert (room.upkeep.backlog.due, room.upkeep.backlog.oldest_s) == (0, 0)
    # Nobody claims: the leases end, and then the deliveries are due and nobody's.
    room.emit(make_event())
    room.start("intake")
    await wait_until(lambda: room.lanes.waiting == 2, what="two deliveries to wait")
    await room.clock.sleep(100)
    room.start("measure")
    await wait_until(lambda: room.upkeep.backlog.due == 2, what="the backlog to be measured")
    assert room.upkeep.backlog.oldest_s == pytest.approx(70, abs=1)


async def test_line_of_an_attempt_has_the_same_fields_on_success_and_failure(
    room: Room, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    arrived, refused = room.webhook("/ok"), room.webhook("/status/410")
    event = make_event(occurred_at=START - timedelta(seconds=5))
    room.emit(event)
    room.start()
    await room.until_states("delivered", "failed")
    lines = {line["webhook_id"]: line for line in attempts(capfdbinary.readouterr().out.decode())}
    assert set(lines) == {str(arrived), str(refused)}
    for line in lines.values():
        assert set(line) == ATTEMPT
        assert (line["level"], line["service"], line["room"]) == ("info", "dispatcher", "record")
        assert (line["workspace_id"], line["type"], line["kind"]) == ("acme", "workspace-created", "event")
        assert (line["attempt"], line["again_in_s"]) == (1, None)
        assert 5_000 <= line["age_ms"] < 60_000
        assert line["hook_id"] in {str(hook_id) for hook_id in room.store.rows}
    assert [(lines[str(one)]["outcome"], lines[str(one)]["status"]) for one in (arrived, refused)] == [
        ("delivered", 200),
        ("gone", 410),
    ]
    assert [lines[str(one)]["state"] for one in (arrived, refused)] == ["delivered", "failed"]


async def test_planned_and_recorded_batch_have_a_line_each(room: Room) -> None:
    room.webhook()
    room.emit(*(make_event() for _ in range(3)))
    with capture_logs() as lines:
        room.start("intake", "deliver")
        await wait_until(lambda: room.lanes.unrecorded == 3, what="three outcomes")
        # Another replica has taken one of them meanwhile.
        next(iter(room.store.rows.values())).claim = UUID(int=1)
        room.store.is_away = True
        room.start("record")
        await wait_until(lambda: room.clock.sleeps.count(5.0) > 1, what="some tries")
        room.store.is_away = False
        await wait_until(lambda: room.lanes.unrecorded == 0, what="the outcomes to be recorded")
    (planned,) = [line for line in lines if line["event"] == "batch.planned"]
    (recorded,) = [line for line in lines if line["event"] == "batch.recorded"]
    logger = {"room": "pipeline", "event": "batch.planned", "log_level": "info"}
    assert planned == logger | {
        "records": 3,
        "events": 3,
        "rejected": 0,
        "deliveries": 3,
        "left_to_database": 0,
        "homeless": 0,
    }
    assert recorded.pop("duration_ms") > 5_000, "the tries count"
    logger = {"room": "record", "event": "batch.recorded", "log_level": "info"}
    assert recorded == logger | {"outcomes": 3, "written": 2, "claims_lost": 1}
