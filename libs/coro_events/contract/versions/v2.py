"""Webhook version 2: what version 1 tells, the workspace's place in the tree, and the event's number in it."""

from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from coro_events.contract.place import Place
from coro_events.contract.triggers import TEST_TYPE
from coro_events.errors import ContractError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def render(  # noqa: PLR0917 - the signature of every version; by position, because it is called for every attempt
    event_type: str,
    hook_id: str,
    workspace_id: str,
    occurred_at: datetime,
    data: bytes,
    place: Place | None = None,
) -> bytes:
    """Return the body of one delivery; `data` is spliced in unread.

    Args:
        event_type: The slug, such as `workspace-created`, or `test`.
        hook_id: The id of the delivery, as in its headers.
        workspace_id: Where the event happened.
        occurred_at: When it happened; aware. Written in milliseconds since 1970, cut.
        data: JSON, as an event carries it.
        place: Where in the tree that is.

    Raises:
        ContractError: There is no place.
    """
    if place is None:
        raise ContractError("a body of version 2 needs the workspace's place, which is not on record")
    timestamp = (occurred_at - _EPOCH) // _MILLISECOND
    sequence = "null" if place.sequence is None else place.sequence
    head = (
        f'{{"id":{quoted(hook_id)},"timestamp":{timestamp},"type":{quoted(event_type)},"version":2,'
        f'"sequence":{sequence},"workspace":{{"id":{quoted(workspace_id)},"displayName":{quoted(place.display_name)},'
        f'"type":{quoted(place.type)},"path":[{",".join(map(quoted, place.path))}]}},"data":'
    )
    return b"%b%b}" % (head.encode(), data)


def properties(event_type: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of each property of the body, all of which are required."""
    return {
        "id": {"type": "string", "description": "The id of the delivery, as in X-Coro-Hook-Id."},
        "timestamp": {"type": "integer", "description": "When it happened, UTC in milliseconds."},
        "type": {"const": event_type},
        "version": {"const": 2},
        "sequence": _sequence(event_type),
        "workspace": {
            "type": "object",
            "description": "The workspace it happened in, as it was when the event was taken in.",
            "properties": {
                "id": {"type": "string"},
                "displayName": {"type": "string", "description": "Its name in the console."},
                "type": {"enum": ["regular", "channel", "child"]},
                "path": {
                    "type": "array",
                    "items": {"type": "string"},
                    "minItems": 1,
                    "description": "Workspace ids from the root down to this workspace.",
                },
            },
            "required": ["id", "displayName", "type", "path"],
        },
        "data": data,
    }


def _sequence(event_type: str) -> dict[str, Any]:
    if event_type == TEST_TYPE:
        return {"type": "null", "description": "A test is no event of the workspace and takes no number."}
    return {
        "type": "integer",
        "minimum": 1,
        "description": "The event's number in its workspace: from 1, without gaps, over all types of events.",
    }
