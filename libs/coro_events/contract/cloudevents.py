"""CloudEvents 1.0 on Kafka: from a record's value and headers to attributes and data, and back."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from pydantic_core import from_json, to_json

from coro_events.errors import UndecodableRecord

Headers = Sequence[tuple[str, bytes]]

STRUCTURED_CONTENT_TYPE: Final = "application/cloudevents+json"
# A tuple, because it is shared; aiokafka wants `list(STRUCTURED_HEADERS)`.
STRUCTURED_HEADERS: Final[Headers] = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
# Kafka's own default ceiling for a record; a broker set wider must not widen this one.
MAX_RECORD_BYTES: Final = 1_048_576
# Names that may be repeated in a reason: short, and nothing that confuses a log.
_HEADER_NAME = re.compile(r"[a-z0-9_-]{1,40}", re.ASCII)


class Record(NamedTuple):
    """A record taken apart: CloudEvents attributes without prefix, and the parsed data."""

    attributes: dict[str, object]
    data: object


def read_record(value: bytes | None, headers: Headers) -> Record:
    """Return attributes and data of a structured or a binary record.

    Raises:
        UndecodableRecord: It is no CloudEvents 1.0 record with JSON data.
    """
    if value is None:
        raise UndecodableRecord("value: is required")
    if len(value) > MAX_RECORD_BYTES:
        raise UndecodableRecord(f"value: must not exceed {MAX_RECORD_BYTES} bytes")
    content_type, attributes = _read_headers(headers)
    if "specversion" in attributes and not content_type.startswith("application/cloudevents"):
        record = _read_binary(value, content_type, attributes)
    else:
        record = _read_structured(value, content_type, attributes)
    if record.attributes.get("specversion") != "1.0":
        raise UndecodableRecord("specversion: must be 1.0")
    return record


def _read_headers(headers: Headers) -> tuple[str, dict[str, object]]:
    """Return the content type, lower case, and the attributes that stand in headers."""
    content_type = ""
    attributes: dict[str, object] = {}
    for name, raw in headers:
        key = name.lower()
        if key == "content-type":
            content_type = _text(key, raw).lower()
        elif key.startswith("ce_"):
            attributes[key[3:]] = _text(key, raw)
        elif key == "traceparent":
            attributes.setdefault(key, _text(key, raw))
    return content_type, attributes


def _text(name: str, raw: bytes | None) -> str:
    """Return a header's text; clients do send headers without a value."""
    try:
        return (raw or b"").decode()
    except UnicodeDecodeError:
        label = name if _HEADER_NAME.fullmatch(name) else "a header"
        raise UndecodableRecord(f"{label}: must be UTF-8") from None


def _read_binary(value: bytes, content_type: str, attributes: dict[str, object]) -> Record:
    if not _is_json(content_type or "application/json"):
        raise UndecodableRecord("content-type: must be application/json")
    return Record(attributes, _parse(value))


def _read_structured(value: bytes, content_type: str, from_headers: dict[str, object]) -> Record:
    if content_type and not _is_json(content_type):
        raise UndecodableRecord(f"content-type: must be {STRUCTURED_CONTENT_TYPE} or application/json")
    attributes = _parse(value)
    if not isinstance(attributes, dict):
        raise UndecodableRecord("value: must be a JSON object")
    if attributes.get("data_base64") is not None:
        raise UndecodableRecord("data_base64: must be JSON in data")
    if not _is_json(attributes.get("datacontenttype") or "application/json"):
        raise UndecodableRecord("datacontenttype: must be application/json")
    # Tracing instrumentation writes the header even where the producer writes structured records.
    if "traceparent" in from_headers:
        attributes.setdefault("traceparent", from_headers["traceparent"])
    return Record(attributes, attributes.get("data"))


def _is_json(content_type: object) -> bool:
    return isinstance(content_type, str) and _names_json(content_type)


# The same few texts come with every record.
@lru_cache(maxsize=64)
def _names_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type in {"application/json", STRUCTURED_CONTENT_TYPE}


def _parse(value: bytes) -> object:
    try:
        # The parser refuses what could hurt later: nesting beyond 200, lone surrogates, endless numbers.
        parsed: object = from_json(value, allow_inf_nan=False)
    except ValueError:
        raise UndecodableRecord("value: must be JSON") from None
    return parsed


def write_record(
    *,
    source: str,
    source_id: str,
    event_type: str,
    subject: str | None,
    occurred_at: datetime,
    data: bytes,
    traceparent: str | None = None,
) -> bytes:
    """Return the structured record; `data` is JSON and is taken over as it is."""
    attributes = {
        "specversion": "1.0",
        "id": source_id,
        "source": source,
        "type": event_type,
        "subject": subject,
        "time": occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "traceparent": traceparent,
    }
    head = to_json({name: value for name, value in attributes.items() if value is not None})
    return b"".join((head[:-1], b',"data":', data, b"}"))
