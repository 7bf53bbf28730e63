"""Webhook version 1, the published format: id, timestamp, workspaceId, type, data."""

from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from coro_events.contract.place import Place

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def render(
    event_type: str,
    hook_id: str,
    workspace_id: str,
    occurred_at: datetime,
    data: bytes,
    _place: Place | None = None,
) -> bytes:
    """Return the body of one delivery; about a microsecond, because `data` is spliced in unread.

    Args:
        event_type: The slug, such as `workspace-created`, or `test`.
        hook_id: The id of the delivery, as in its headers.
        workspace_id: Where the event happened.
        occurred_at: When it happened; aware. Written in milliseconds since 1970, cut.
        data: JSON, as an event carries it.
        _place: Version 1 does not tell it.
    """
    # Whole numbers all the way: a float would lose a millisecond now and then.
    timestamp = (occurred_at - _EPOCH) // _MILLISECOND
    head = (
        f'{{"id":{quoted(hook_id)},"timestamp":{timestamp},'
        f'"workspaceId":{quoted(workspace_id)},"type":{quoted(event_type)},"data":'
    )
    return b"%b%b}" % (head.encode(), data)


def properties(event_type: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of each property of the body, all of which are required."""
    return {
        "id": {"type": "string", "description": "The id of the delivery, as in X-Coro-Hook-Id."},
        "timestamp": {"type": "integer", "description": "When it happened, UTC in milliseconds."},
        "workspaceId": {"type": "string", "description": "The workspace it happened in."},
        "type": {"const": event_type},
        "data": data,
    }
