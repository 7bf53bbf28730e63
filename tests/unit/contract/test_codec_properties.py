"""Whatever comes in, decoding ends in an event or in one of two errors, and never repeats what it saw."""

import json
from collections.abc import Callable

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coro_events.contract.codec import decode, encode
from coro_events.contract.data import DATA_MODELS
from coro_events.contract.envelope import Event
from coro_events.contract.triggers import Trigger
from coro_events.contract.webhook_events import decode_webhook_event
from coro_events.errors import InvalidEvent, UndecodableRecord
from tests.unit.contract.records import RECEIVED_AT, STRUCTURED, as_bytes, binary, record

# A loaded machine must not fail a test that is right.
PATIENT = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
SECRET = "Zq7SecretZq7"

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**20, max_value=10**400)
    | st.floats()
    | st.text()
    | st.sampled_from(["\x00", "\ud800", "\u2028", "2026-03-01T09:00:00Z", "1.0", *Trigger])
)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20
)
header_names = st.text(max_size=20) | st.sampled_from(
    ["content-type", "ce_specversion", "ce_type", "ce_id", "ce_source", "ce_subject", "ce_time", "traceparent"]
)
header_values = st.binary(max_size=40) | st.sampled_from(
    [b"1.0", b"application/json", b"application/cloudevents+json", *(one.encode() for one in Trigger)]
)


def outcome(read: Callable[[], object]) -> object:
    """Return what came of it; any error but the two lets the test fail."""
    try:
        return read()
    except (UndecodableRecord, InvalidEvent) as error:
        return error


@PATIENT
@given(value=st.none() | st.binary(), headers=st.lists(st.tuples(header_names, header_values), max_size=8))
@example(value=b"[" * 100_000, headers=[])
@example(value=b'{"specversion":"1.0","id":"\x00"}', headers=[])
def test_any_bytes_end_in_an_event_or_in_one_of_two_errors(
    value: bytes | None, headers: list[tuple[str, bytes]]
) -> None:
    outcome(lambda: decode(value, headers, RECEIVED_AT))
    outcome(lambda: decode_webhook_event(value, headers))


@PATIENT
@given(document=documents)
def test_any_json_ends_in_an_event_or_in_one_of_two_errors(document: object) -> None:
    outcome(lambda: decode(as_bytes(document), STRUCTURED, RECEIVED_AT))


@PATIENT
@given(trigger=st.sampled_from(Trigger), attribute=st.sampled_from(sorted(record())), hostile=documents)
def test_one_hostile_attribute_ends_in_an_event_or_in_one_of_two_errors(
    trigger: Trigger, attribute: str, hostile: object
) -> None:
    result = outcome(lambda: decode(as_bytes({**record(trigger), attribute: hostile}), STRUCTURED, RECEIVED_AT))
    if isinstance(result, Event):
        # What was let in can be written, stored and shown.
        assert json.loads(result.data.decode()) is not None
        key, value, headers = encode(result)
        assert decode(value, headers, RECEIVED_AT) == result
        assert key == result.workspace_id.encode()


@PATIENT
@given(data=st.data(), trigger=st.sampled_from(Trigger), hostile=documents)
def test_one_hostile_field_of_the_data_ends_in_an_event_or_in_one_of_two_errors(
    data: st.DataObject, trigger: Trigger, hostile: object
) -> None:
    fields = DATA_MODELS[trigger].example().model_dump(mode="json", by_alias=True)
    fields[data.draw(st.sampled_from(sorted(fields)))] = hostile
    value, headers = binary(record(trigger, data=fields))
    result = outcome(lambda: decode(value, headers, RECEIVED_AT))
    if isinstance(result, Event):
        assert "\x00" not in _all_text(json.loads(result.data))


@PATIENT
@given(data=st.data(), trigger=st.sampled_from(Trigger), key=st.booleans())
def test_a_reason_never_repeats_a_value(data: st.DataObject, trigger: Trigger, key: bool) -> None:  # noqa: FBT001 - hypothesis passes by name
    whole = {**record(trigger), "id": "1"}
    fields = DATA_MODELS[trigger].example().model_dump(mode="json", by_alias=True)
    poison: object = {SECRET: [SECRET]} if key else [[SECRET]]
    fields[data.draw(st.sampled_from(sorted(fields)))] = poison
    attribute = data.draw(st.sampled_from(["id", "source", "subject", "time", "type", "specversion", None]))
    if attribute:
        whole[attribute] = f"{SECRET}\x00"
    result = outcome(lambda: decode(as_bytes({**whole, "data": fields}), STRUCTURED, RECEIVED_AT))
    # A part whose every field may be left out drops what it does not know.
    said = result.data.decode() if isinstance(result, Event) else str(result)
    assert SECRET not in said


@PATIENT
@given(subject=st.text(min_size=1, max_size=128), source=st.text(min_size=1, max_size=255))
def test_an_event_survives_when_its_ids_hold_any_letters(subject: str, source: str) -> None:
    result = outcome(
        lambda: decode(json.dumps(record(subject=subject, source=source), ensure_ascii=True).encode(), [], RECEIVED_AT)
    )
    if isinstance(result, Event):
        key, value, headers = encode(result)
        assert decode(value, headers, RECEIVED_AT) == result
        assert key.decode() == subject


def _all_text(node: object) -> str:
    if isinstance(node, dict):
        return "".join(str(key) + _all_text(value) for key, value in node.items())
    if isinstance(node, list):
        return "".join(_all_text(item) for item in node)
    return str(node)
