"""Teaches schemathesis a line of JSON for each item: how such a body is written, and how such an answer is read."""

import json
from typing import Any

import schemathesis
from schemathesis import DeserializationContext, Response, SerializationContext

MEDIA_TYPE = "application/x-ndjson"


@schemathesis.serializer(MEDIA_TYPE)
def write_lines(_: SerializationContext, value: Any) -> bytes:
    """Return a value as lines; what is no list is one line."""
    if isinstance(value, bytes):
        return value
    items = value if isinstance(value, list) else [value]
    return "".join(item if isinstance(item, str) else f"{json.dumps(item)}\n" for item in items).encode()


@schemathesis.deserializer(MEDIA_TYPE)
def read_lines(_: DeserializationContext, response: Response) -> Any:
    """Return the last line, which tells the end."""
    return json.loads(response.text.splitlines()[-1])
