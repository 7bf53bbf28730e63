"""Bytes to event and back: the only place that reads what services emit."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from pydantic import BaseModel

from coro_events.contract.cloudevents import STRUCTURED_HEADERS, Headers, read_record, write_record
from coro_events.contract.data import check_data
from coro_events.contract.envelope import Event, read_id, read_time, read_traceparent, read_workspace_id
from coro_events.contract.topics import partition_key
from coro_events.contract.triggers import Trigger
from coro_events.errors import InvalidEvent, UndecodableRecord

# A plain look-up, because the enum's own is slower and raises for strangers.
_TRIGGERS: Mapping[object, Trigger] = MappingProxyType({trigger.value: trigger for trigger in Trigger})


def decode(value: bytes | None, headers: Headers, received_at: datetime) -> Event:
    """Return the event of a record of `coro.events`, in structured or binary mode.

    Args:
        value: The record's value.
        headers: The record's headers.
        received_at: The record's own timestamp, aware; stands in where the event has no time.

    Raises:
        UndecodableRecord: The record or its envelope is unreadable; the reason names field and rule.
        InvalidEvent: The data breaks the schema of its type; the reason names field and rule.
    """
    attributes, data = read_record(value, headers)
    event_type = attributes.get("type")
    trigger = _TRIGGERS.get(event_type) if isinstance(event_type, str) else None
    if trigger is None:
        raise UndecodableRecord("type: must be one of the known event types")
    time = attributes.get("time")
    try:
        source = read_id("source", attributes.get("source"))
        source_id = read_id("id", attributes.get("id"))
        workspace_id = read_workspace_id("subject", attributes.get("subject"))
        occurred_at = received_at if time is None else read_time("time", time)
    except ValueError as error:
        raise UndecodableRecord(str(error)) from None
    return Event(
        source=source,
        source_id=source_id,
        trigger=trigger,
        workspace_id=workspace_id,
        occurred_at=occurred_at,
        data=check_data(trigger, workspace_id, data).to_bytes(),
        traceparent=read_traceparent(attributes.get("traceparent")),
    )


def new_event(
    trigger: Trigger,
    workspace_id: str,
    data: BaseModel | Mapping[str, object],
    *,
    source: str,
    occurred_at: datetime,
    source_id: str | None = None,
    traceparent: str | None = None,
) -> Event:
    """Return a new event, checked as it would be when read.

    Args:
        trigger: What happened.
        workspace_id: Where it happened.
        data: The trigger's model, or a mapping with the names of the wire.
        source: The emitting service.
        occurred_at: When it happened; aware.
        source_id: The service's own name for it; the same one for the same event makes a repeat
            harmless. Left out, a random one is taken.
        traceparent: The W3C trace context it belongs to.

    Raises:
        InvalidEvent: Something breaks the contract; the reason names field and rule, never a value.
    """
    if occurred_at.tzinfo is None:
        raise InvalidEvent("time: must be aware of its time zone")
    try:
        checked_source = read_id("source", source)
        checked_id = read_id("id", str(uuid.uuid4()) if source_id is None else source_id)
        checked_workspace = read_workspace_id("subject", workspace_id)
        utc = occurred_at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidEvent(str(error)) from None
    return Event(
        source=checked_source,
        source_id=checked_id,
        trigger=trigger,
        workspace_id=checked_workspace,
        occurred_at=utc,
        data=check_data(trigger, workspace_id, _plain(data)).to_bytes(),
        traceparent=read_traceparent(traceparent),
    )


def _plain(data: BaseModel | Mapping[str, object]) -> object:
    """Return plain values to check: a model may have been made without validation."""
    if not isinstance(data, BaseModel):
        return dict(data)
    return data.model_dump(by_alias=True, warnings=False)


def encode(event: Event) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """Return key, value and headers of the structured record; a list, which aiokafka insists on."""
    value = write_record(
        source=event.source,
        source_id=event.source_id,
        event_type=event.trigger.value,
        subject=event.workspace_id,
        occurred_at=event.occurred_at,
        data=event.data,
        traceparent=event.traceparent,
    )
    return partition_key(event.workspace_id), value, list(STRUCTURED_HEADERS)
