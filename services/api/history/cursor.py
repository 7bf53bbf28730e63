"""Where a history goes on, as clients carry it: opaque to them, checked when it comes back."""

import base64
import binascii
import struct
import uuid
from datetime import UTC, datetime, timedelta

from services.api.history.ports import Key
from services.api.refusals import Fault, InvalidInput

MAX_CURSOR_CHARACTERS = 100

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Microseconds since 1970, the event, the webhook.
_LAYOUT = struct.Struct(">Q16s16s")


def write_cursor(key: Key) -> str:
    """Return a place as text of letters, digits, minus and underscore."""
    moment = (key.created_at - _EPOCH) // _MICROSECOND
    packed = _LAYOUT.pack(moment, key.event_id.bytes, key.webhook_id.bytes)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(text: str) -> Key:
    """Return the place that a cursor names.

    Raises:
        InvalidInput: It is none of ours.
    """
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        moment, event, webhook = _LAYOUT.unpack(packed)
        created_at = _EPOCH + timedelta(microseconds=moment)
    except (binascii.Error, struct.error, ValueError, OverflowError):
        raise InvalidInput(Fault("cursor", "must be the nextCursor of an earlier answer")) from None
    return Key(created_at, uuid.UUID(bytes=event), uuid.UUID(bytes=webhook))
