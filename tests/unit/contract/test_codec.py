"""Reading and writing events in structured and in binary mode."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from coro_events.contract.cloudevents import MAX_RECORD_BYTES
from coro_events.contract.codec import decode, encode, new_event
from coro_events.contract.data import DATA_MODELS, read_data
from coro_events.contract.protection import ProtectedUsersCountUpdated
from coro_events.contract.triggers import Trigger
from coro_events.contract.workspaces import WorkspaceCreated
from coro_events.errors import InvalidEvent, UndecodableRecord
from tests.unit.contract.records import (
    COUNT,
    OCCURRED_AT,
    RECEIVED_AT,
    STRUCTURED,
    TRACEPARENT,
    WORKSPACE,
    as_bytes,
    binary,
    decode_structured,
    example_of,
    record,
)


@pytest.mark.parametrize("trigger", Trigger)
def test_every_example_is_read_when_it_comes_structured(trigger: Trigger) -> None:
    event = decode_structured(record(trigger))
    assert (event.source, event.source_id, event.trigger) == ("example/billing", "billing-1", trigger)
    assert (event.workspace_id, event.occurred_at) == (WORKSPACE, OCCURRED_AT)
    assert json.loads(event.data) == example_of(trigger)


@pytest.mark.parametrize("trigger", Trigger)
def test_both_modes_give_the_same_event(trigger: Trigger) -> None:
    value, headers = binary(record(trigger, traceparent=TRACEPARENT))
    assert decode(value, headers, RECEIVED_AT) == decode_structured(record(trigger, traceparent=TRACEPARENT))


@pytest.mark.parametrize("trigger", Trigger)
def test_an_event_survives_when_written_and_read(trigger: Trigger) -> None:
    event = new_event(
        trigger,
        WORKSPACE,
        DATA_MODELS[trigger].example(),
        source="example/billing",
        occurred_at=OCCURRED_AT,
        traceparent=TRACEPARENT,
    )
    key, value, headers = encode(event)
    assert key == WORKSPACE.encode()
    assert decode(value, headers, RECEIVED_AT) == event


def test_a_structured_record_is_read_when_it_has_no_headers() -> None:
    assert decode(as_bytes(record()), [], RECEIVED_AT) == decode_structured(record())


def test_a_binary_record_is_read_when_it_has_no_content_type() -> None:
    value, headers = binary(record())
    assert decode(value, headers[:-1], RECEIVED_AT) == decode_structured(record())


def test_structured_mode_wins_when_stray_attributes_stand_in_headers() -> None:
    headers = [*STRUCTURED, ("ce_specversion", b"1.0"), ("ce_id", b"another")]
    assert decode(as_bytes(record()), headers, RECEIVED_AT).source_id == "billing-1"


def test_the_time_of_the_record_stands_in_when_the_event_has_none() -> None:
    assert decode_structured(record(time=None)).occurred_at == RECEIVED_AT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T09:00:00Z", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("2026-03-01t09:00:00z", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("2026-03-01T09:00:00.123456789Z", OCCURRED_AT),
        ("2026-03-01T11:00:00.123456+02:00", OCCURRED_AT),
    ],
)
def test_a_time_is_read_in_utc(text: str, expected: datetime) -> None:
    occurred_at = decode_structured(record(time=text)).occurred_at
    assert (occurred_at, occurred_at.tzinfo) == (expected, UTC)


@pytest.mark.parametrize(
    "time",
    [
        "",
        "2026-03-01",
        "2026-03-01T09:00:00",
        "1772355600",
        1772355600,
        "2026-02-30T09:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "now",
    ],
)
def test_a_record_is_undecodable_when_its_time_is_no_rfc_3339(time: object) -> None:
    with pytest.raises(UndecodableRecord, match="time: must be an RFC 3339 time"):
        decode_structured(record(time=time))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"specversion": None}, "specversion: must be 1.0"),
        ({"specversion": "0.3"}, "specversion: must be 1.0"),
        ({"type": None}, "type: must be one of"),
        ({"type": "workspace.created"}, "type: must be one of"),
        ({"type": ["workspace-created"]}, "type: must be one of"),
        ({"type": "test"}, "type: must be one of"),
        ({"id": None}, "id: is required"),
        ({"id": ""}, "id: must have 1 to 255 characters"),
        ({"id": "x" * 256}, "id: must have 1 to 255 characters"),
        ({"id": 7}, "id: must be a string"),
        ({"id": "a\u0000b"}, "id: must not hold control characters"),
        ({"source": None}, "source: is required"),
        ({"source": "a\nb"}, "source: must not hold control characters"),
        ({"subject": None}, "subject: is required"),
        ({"subject": "w" * 129}, "subject: must have 1 to 128 characters"),
        ({"data_base64": "e30="}, "data_base64: must be JSON"),
        ({"datacontenttype": "text/xml"}, "datacontenttype: must be application/json"),
        ({"datacontenttype": 5}, "datacontenttype: must be application/json"),
    ],
)
def test_a_record_is_undecodable_when_its_envelope_breaks_a_rule(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(UndecodableRecord, match=reason):
        decode_structured(record(COUNT, **changes))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "value: is required"),
        (b"", "value: must be JSON"),
        (b"\xff\xfe", "value: must be JSON"),
        (b"[1]", "value: must be a JSON object"),
        (b"null", "value: must be a JSON object"),
        (b'"\\ud800"', "value: must be JSON"),
        (b'{"a":' * 5000, "value: must be JSON"),
        (b"9" * 10_000, "value: must be JSON"),
        (b'{"a":NaN}', "value: must be JSON"),
        (b" " * (MAX_RECORD_BYTES + 1), "value: must not exceed"),
    ],
)
def test_a_record_is_undecodable_when_its_value_is_no_json_object(value: bytes | None, reason: str) -> None:
    with pytest.raises(UndecodableRecord, match=reason):
        decode(value, STRUCTURED, RECEIVED_AT)


def test_a_record_is_undecodable_when_a_header_is_not_utf_8() -> None:
    value, headers = binary(record())
    with pytest.raises(UndecodableRecord, match="ce_id: must be UTF-8"):
        decode(value, [("ce_id", b"\xff"), *headers], RECEIVED_AT)


@pytest.mark.parametrize("content_type", [b"text/plain", b"application/cloudevents-batch+json"])
def test_a_record_is_undecodable_when_its_content_type_is_foreign(content_type: bytes) -> None:
    with pytest.raises(UndecodableRecord, match="content-type"):
        decode(as_bytes(record()), [("content-type", content_type)], RECEIVED_AT)
    value, headers = binary(record())
    with pytest.raises(UndecodableRecord, match="content-type"):
        decode(value, [*headers[:-1], ("content-type", content_type)], RECEIVED_AT)


@pytest.mark.parametrize(
    ("trigger", "changes", "reason"),
    [
        (COUNT, {"protectedCount": None}, r"data\.protectedCount: Input should be a valid integer"),
        (COUNT, {"protectedCount": "42"}, r"data\.protectedCount: Input should be a valid integer"),
        (COUNT, {"protectedCount": True}, r"data\.protectedCount: Input should be a valid integer"),
        (COUNT, {"protectedCount": 10**30}, r"data\.protectedCount: "),
        (COUNT, {"protectedCount": -1}, r"data\.protectedCount: "),
        (Trigger.WORKSPACE_CREATED, {"type": "team"}, r"data\.type: Input should be 'regular'"),
        (Trigger.WORKSPACE_CREATED, {"id": "another"}, r"data\.id: must be the event's workspace"),
        (Trigger.WORKSPACE_CREATED, {"parentWorkspaceId": None}, "a child workspace needs parentWorkspaceId"),
        (Trigger.WORKSPACE_CREATED, {"parentWorkspaceId": WORKSPACE}, "must differ from id"),
        (Trigger.WORKSPACE_CREATED, {"displayName": "a\u0000b"}, r"data\.displayName: "),
        (Trigger.SUBSCRIPTION_UPDATED, {"bundles": ["sase", "sase"]}, "items must be distinct"),
        (Trigger.PROTECTED_USERS_ADDED, {"users": []}, r"data\.users: "),
        (Trigger.PROTECTED_USERS_ADDED, {"users": [{}] * 201}, r"data\.users: "),
        (Trigger.PROTECTED_USERS_ADDED, {"users": [{}]}, r"data\.users\.0\.id: Field required \(and 2 more\)"),
    ],
)
def test_an_event_is_invalid_when_its_data_breaks_the_schema(
    trigger: Trigger, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(InvalidEvent, match=reason):
        decode_structured(record(trigger, data={**example_of(trigger), **changes}))


@pytest.mark.parametrize("data", [None, [], "text", 5])
def test_an_event_is_invalid_when_its_data_is_no_object(data: object) -> None:
    with pytest.raises(InvalidEvent, match="data: Input should be a valid dictionary"):
        decode_structured({**record(), "data": data})


def test_a_field_that_the_schema_does_not_name_never_reaches_the_data() -> None:
    event = decode_structured(record(data={"protectedCount": 1, "internalMargin": 0.4}))
    assert event.data == b'{"protectedCount":1,"previousProtectedCount":null}'


def test_the_last_key_counts_when_keys_are_doubled() -> None:
    text = as_bytes(record()).replace(b'"protectedCount": 42', b'"protectedCount": 1, "protectedCount": 2')
    assert json.loads(decode(text, STRUCTURED, RECEIVED_AT).data)["protectedCount"] == 2


def test_a_broken_trace_context_is_dropped_and_stops_nothing() -> None:
    assert decode_structured(record(traceparent="00-nonsense")).traceparent is None


def test_the_trace_context_is_taken_from_the_plain_header_when_the_record_has_none() -> None:
    headers = [*STRUCTURED, ("traceparent", TRACEPARENT.encode())]
    assert decode(as_bytes(record()), headers, RECEIVED_AT).traceparent == TRACEPARENT


def test_a_new_event_is_refused_when_its_time_has_no_zone() -> None:
    naive = datetime(2026, 3, 1, 9, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(InvalidEvent, match="time: must be aware"):
        new_event(COUNT, WORKSPACE, {"protectedCount": 1}, source="s", occurred_at=naive)


@pytest.mark.parametrize(
    ("workspace_id", "source", "source_id", "reason"),
    [("", "s", "1", "subject"), ("w", "", "1", "source"), ("w", "s", "a\tb", "id"), ("\ud800", "s", "1", "subject")],
)
def test_a_new_event_is_refused_when_its_envelope_breaks_a_rule(
    workspace_id: str, source: str, source_id: str, reason: str
) -> None:
    with pytest.raises(InvalidEvent, match=f"{reason}: must"):
        new_event(
            COUNT, workspace_id, {"protectedCount": 1}, source=source, occurred_at=OCCURRED_AT, source_id=source_id
        )


def test_a_new_event_is_refused_when_its_model_was_made_without_validation() -> None:
    unchecked = ProtectedUsersCountUpdated.model_construct(protected_count=-5)
    with pytest.raises(InvalidEvent, match="protectedCount"):
        new_event(COUNT, WORKSPACE, unchecked, source="s", occurred_at=OCCURRED_AT)


def test_a_new_event_is_refused_when_the_model_is_of_another_trigger() -> None:
    with pytest.raises(InvalidEvent, match="protectedCount"):
        new_event(COUNT, WORKSPACE, WorkspaceCreated.example(), source="s", occurred_at=OCCURRED_AT)


def test_new_events_differ_when_the_service_gives_no_id() -> None:
    one, other = (new_event(COUNT, WORKSPACE, {"protectedCount": 1}, source="s", occurred_at=OCCURRED_AT) for _ in "ab")
    assert one.id != other.id


def test_an_event_is_itself_again_when_source_and_id_are_the_same() -> None:
    first = decode_structured(record())
    again = decode_structured(record(time="2027-01-01T00:00:00Z"))
    assert (first.id, first.id.version) == (again.id, 5)
    assert decode_structured(record(source="example/another")).id != first.id
    assert decode_structured(record(id="billing-2")).id != first.id


def test_the_time_is_written_in_utc_when_it_was_given_in_another_zone() -> None:
    there = OCCURRED_AT.astimezone(timezone(timedelta(hours=-5)))
    event = new_event(COUNT, WORKSPACE, {"protectedCount": 1}, source="s", occurred_at=there)
    assert json.loads(encode(event)[1])["time"] == "2026-03-01T09:00:00.123456Z"


@pytest.mark.parametrize("trigger", Trigger)
def test_canonical_data_reads_back_as_its_model(trigger: Trigger) -> None:
    example = DATA_MODELS[trigger].example()
    assert read_data(trigger, example.to_bytes()) == example


def test_reading_data_of_another_trigger_is_refused() -> None:
    with pytest.raises(InvalidEvent):
        read_data(COUNT, b"{}")
