"""The event as a value: who says it, what happened, where, when, and with which data."""

import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

from coro_events.contract.fields import MAX_ID_LENGTH, MAX_WORKSPACE_ID_LENGTH
from coro_events.contract.triggers import Trigger

_EVENT_NAMESPACE = uuid.UUID("6f1d0c5e-3b52-5c7e-9a43-0d8a7be2c4f1")
# Control characters and lone surrogates: neither can be stored or written as UTF-8.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a workspace, validated.

    Attributes:
        source: The emitting service, the CloudEvents `source`; 1 to 255 characters.
        source_id: Its name for this event, the CloudEvents `id`; 1 to 255 characters.
        trigger: What happened.
        workspace_id: Where it happened, the CloudEvents `subject`; 1 to 128 characters.
        occurred_at: When it happened; aware, UTC.
        data: Canonical JSON of the validated data, as it goes into a webhook's body.
        traceparent: The W3C trace context it belongs to.
        id: Our name for it. CloudEvents says that source and id together are the identity of an
            event, so the uuid is made of both: a repeated record gives the same event again, and
            two services that count from 1 do not collide.
    """

    source: str
    source_id: str
    trigger: Trigger
    workspace_id: str
    occurred_at: datetime
    data: bytes
    traceparent: str | None = None
    id: uuid.UUID = field(init=False)

    def __post_init__(self) -> None:
        """Derive the id from source and source id."""
        object.__setattr__(self, "id", event_id(self.source, self.source_id))


def event_id(source: str, source_id: str) -> uuid.UUID:
    """Return the id of an event; a line feed occurs in neither part, so no two pairs collide."""
    return uuid.uuid5(_EVENT_NAMESPACE, f"{source}\n{source_id}")


def read_id(name: str, value: object) -> str:
    """Return a source or a source id as it is.

    Raises:
        ValueError: It is no text of 1 to 255 characters; the message names the field.
    """
    return _read_text(name, value, MAX_ID_LENGTH)


def read_workspace_id(name: str, value: object) -> str:
    """Return a workspace id as it is.

    Raises:
        ValueError: It is no text of 1 to 128 characters; the message names the field.
    """
    return _read_text(name, value, MAX_WORKSPACE_ID_LENGTH)


def _read_text(name: str, value: object, limit: int) -> str:
    if value is None:
        raise ValueError(f"{name}: is required")
    if not isinstance(value, str):
        raise ValueError(f"{name}: must be a string")  # noqa: TRY004 - one kind of fault for every field
    if not 0 < len(value) <= limit:
        raise ValueError(f"{name}: must have 1 to {limit} characters")
    # The first test is quick and true of nearly all ids.
    if not (value.isascii() and value.isprintable()) and _UNFIT.search(value):
        raise ValueError(f"{name}: must not hold control characters or lone surrogates")
    return value


def read_time(name: str, value: object) -> datetime:
    """Return an RFC 3339 time in UTC; digits beyond microseconds are cut.

    Raises:
        ValueError: It is none, it has no offset, or it lies outside the years 1 to 9999.
    """
    fault = f"{name}: must be an RFC 3339 time with an offset"
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise ValueError(fault)
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(fault) from None


def read_traceparent(value: object) -> str | None:
    """Return a well-formed trace context, or nothing: a broken one must not stop an event."""
    return value if isinstance(value, str) and _TRACEPARENT.fullmatch(value) else None
