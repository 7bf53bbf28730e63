"""Records that nobody can read, in a flood of good ones: kept aside with a reason, and nothing stops."""

import json
from collections import Counter
from collections.abc import Callable, Mapping

from coro_events.contract.codec import encode
from coro_events.contract.topics import REJECTED, REJECTED_HEADER_PREFIX
from coro_events.runtime.clock import SystemClock
from tests.faults.audit import recovered_s, until_all_recorded
from tests.faults.judging import judge, result_of
from tests.faults.kafka import Raw, read_topic, send_raw
from tests.faults.reporting import Result
from tests.faults.scenarios import Scenario
from tests.faults.settings import LEASE_S
from tests.support.load import make_marked_event, make_tree
from tests.support.stand import Stand

RECORDS = 3_000
PATHS = ["/ok/a", "/ok/b"]
# One in ten is bad.
EVERY = 10
LIMIT_S = 60


async def test_the_good_are_delivered_and_the_bad_kept_aside_when_a_tenth_is_unreadable(
    stand: Stand, report: Callable[[Result], None]
) -> None:
    await make_tree(stand, PATHS, strangers=0)
    dispatcher = stand.start_dispatcher()
    await dispatcher.ready()
    bad_numbers = range(0, RECORDS, EVERY)
    good_numbers = set(range(RECORDS)) - set(bad_numbers)
    records = [encode(make_marked_event(number)) for number in range(RECORDS)]
    poisons = [_poison(kind, records[number]) for kind, number in enumerate(bad_numbers)]
    mixed = [poisons[number // EVERY] if number in bad_numbers else records[number] for number in range(RECORDS)]
    await send_raw(stand, mixed)
    sent_at = SystemClock().now()
    await until_all_recorded(stand, good_numbers, limit_s=LIMIT_S)
    audited = await judge(stand, good_numbers, PATHS)
    kept = await read_topic(stand, REJECTED, len(bad_numbers))
    assert Counter(record.value for record in kept) == Counter(value for _, value, _ in poisons)
    reasons = {dict(record.headers)[f"{REJECTED_HEADER_PREFIX}reason"].decode() for record in kept}
    assert len(reasons) == len(POISONS), reasons
    assert len(audited.rows) == len(good_numbers) * len(PATHS)
    assert await dispatcher.metric("coro_intake_rejected_total") == len(bad_numbers)
    report(
        result_of(
            Scenario.POISON,
            good_numbers,
            audited,
            in_flight=0,
            recovery_s=recovered_s(audited, {row.hook_id for row in audited.rows}, sent_at),
            limit_s=LEASE_S + 1,
        )
    )


def _changed(record: Raw, change: Callable[[dict[str, object]], Mapping[str, object]]) -> Raw:
    key, value, headers = record
    assert value is not None
    return key, json.dumps(change(json.loads(value))).encode(), headers


# Each kind with the record that it spoils.
POISONS: list[Callable[[Raw], Raw]] = [
    lambda record: (record[0], b"\x00\xff not JSON", record[2]),
    lambda record: (record[0], None, record[2]),
    lambda record: (record[0], b"[1, 2]", record[2]),
    lambda record: (record[0], record[1], [("content-type", b"text/plain")]),
    lambda record: _changed(record, lambda event: {**event, "specversion": "0.3"}),
    lambda record: _changed(record, lambda event: {**event, "type": "nobody-knows-this"}),
    lambda record: _changed(record, lambda event: {**event, "time": "yesterday"}),
    lambda record: _changed(record, lambda event: {**event, "subject": ""}),
    lambda record: _changed(record, lambda event: {**event, "data": {"users": "none"}}),
    lambda record: _changed(record, lambda event: {key: value for key, value in event.items() if key != "id"}),
]


def _poison(kind: int, record: Raw) -> Raw:
    return POISONS[kind % len(POISONS)](record)
