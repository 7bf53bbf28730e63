"""From matches to planned deliveries."""

import uuid
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coro_events.contract.bodies import TEST_DATA
from coro_events.contract.envelope import Event
from coro_events.rules.deliveries import DeliveryKind
from services.dispatcher.intake.batch import TestRequest
from services.dispatcher.match.delivery import Delivery, Target
from services.dispatcher.match.plan import Match, Plan, day_of, happening_of, plan_deliveries, plan_tests
from tests.support.clock import START
from tests.support.dispatching import make_target
from tests.support.makers import make_event

TODAY = date(2026, 3, 2)
CLAIM = uuid.uuid4()


@pytest.mark.parametrize(
    ("occurred_at", "expected"),
    [
        (datetime(2026, 3, 2, tzinfo=UTC), TODAY),
        (datetime(2026, 3, 2, 23, 59, 59, 999_999, tzinfo=UTC), TODAY),
        (datetime(2026, 3, 1, 23, 59, tzinfo=UTC), date(2026, 3, 1)),
        (datetime(2026, 2, 23, tzinfo=UTC), date(2026, 2, 23)),
        (datetime(2026, 2, 22, 23, 59, tzinfo=UTC), date(2026, 2, 23)),
        (datetime(1970, 1, 1, tzinfo=UTC), date(2026, 2, 23)),
        (datetime(2026, 3, 3, 12, tzinfo=UTC), date(2026, 3, 3)),
        (datetime(2026, 3, 4, tzinfo=UTC), date(2026, 3, 3)),
        (datetime(9999, 12, 31, tzinfo=UTC), date(2026, 3, 3)),
    ],
)
def test_day_is_the_events_own_within_the_days_that_are_kept(occurred_at: datetime, expected: date) -> None:
    assert day_of(occurred_at, TODAY) == expected


@given(occurred_at=st.datetimes(timezones=st.just(UTC)))
def test_day_lies_between_a_week_ago_and_tomorrow(occurred_at: datetime) -> None:
    assert TODAY - timedelta(days=7) <= day_of(occurred_at, TODAY) <= TODAY + timedelta(days=1)


def plan(matches: list[Match], events: list[Event], rooms: dict[UUID, int]) -> Plan:
    return plan_deliveries(
        matches,
        {event.id: event for event in events},
        room=lambda wanted: {webhook_id: rooms[webhook_id] for webhook_id in wanted},
        claim=CLAIM,
        leased_until=1030.0,
        today=TODAY,
    )


def test_delivery_carries_the_event_the_target_and_the_claim() -> None:
    event, target = make_event(traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01"), make_target()
    planned = plan([Match(target, [event.id])], [event], {target.webhook_id: 1})
    (delivery,) = planned.claimed
    assert delivery == Delivery(
        day=TODAY,
        hook_id=delivery.hook_id,
        kind=DeliveryKind.EVENT,
        target=target,
        happening=happening_of(event),
        attempts=0,
        claim=CLAIM,
        leased_until=1030.0,
    )
    assert delivery.hook_id.version == 4
    assert delivery.happening.data == event.data
    assert delivery.happening.traceparent == event.traceparent
    assert planned.unclaimed == []


rooms_and_events = st.lists(
    st.tuples(st.integers(min_value=-2, max_value=6), st.lists(st.integers(0, 9), unique=True, max_size=10)), max_size=6
)


@given(shape=rooms_and_events)
def test_every_match_gets_one_delivery_and_as_many_are_claimed_as_there_is_room(
    shape: list[tuple[int, list[int]]],
) -> None:
    events = [make_event() for _ in range(10)]
    targets = [make_target() for _ in shape]
    matches = [
        Match(target, [events[number].id for number in numbers])
        for target, (_, numbers) in zip(targets, shape, strict=True)
    ]
    rooms = {target.webhook_id: room for target, (room, _) in zip(targets, shape, strict=True)}
    planned = plan(matches, events, rooms)
    both = planned.claimed + planned.unclaimed
    assert len({delivery.hook_id for delivery in both}) == len(both)
    for match in matches:
        own = match.target.webhook_id
        claimed = [one.happening.event_id for one in planned.claimed if one.target.webhook_id == own]
        left = [one.happening.event_id for one in planned.unclaimed if one.target.webhook_id == own]
        assert claimed + left == match.event_ids, "in order, the first ones claimed"
        assert len(claimed) == min(max(rooms[own], 0), len(match.event_ids))


def request_of(target: Target) -> TestRequest:
    return TestRequest(webhook_id=target.webhook_id, test_id=uuid.uuid4(), workspace_id="acme", requested_at=START)


def planned_tests(requests: list[TestRequest], *, new: set[UUID], targets: list[Target]) -> list[Delivery]:
    return plan_tests(
        requests,
        new=new,
        targets={target.webhook_id: target for target in targets},
        claim=CLAIM,
        leased_until=1030.0,
        today=TODAY,
    )


def test_test_has_the_requests_id_and_the_example_data() -> None:
    target = make_target()
    request = request_of(target)
    (delivery,) = planned_tests([request], new={request.test_id}, targets=[target])
    assert delivery.kind is DeliveryKind.TEST
    assert delivery.hook_id == delivery.happening.event_id == request.test_id
    assert (delivery.happening.type, delivery.happening.data) == ("test", TEST_DATA)
    assert (delivery.day, delivery.claim, delivery.leased_until) == (TODAY, CLAIM, 1030.0)


def test_test_is_planned_once_and_only_for_a_webhook_that_exists() -> None:
    here, gone = make_target(), make_target()
    new, repeated, orphan = request_of(here), request_of(here), request_of(gone)
    planned = planned_tests([new, repeated, orphan], new={new.test_id, orphan.test_id}, targets=[here])
    assert [delivery.hook_id for delivery in planned] == [new.test_id]
