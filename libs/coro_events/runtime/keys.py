"""How key rings are written in settings."""

import base64
import binascii

from coro_events.errors import SettingsError

_KEY_BYTES = 32
# Its length is stored in one byte in front of every sealed value.
_MAX_KEY_ID_BYTES = 32


def parse_keys(text: str, *, setting: str) -> dict[str, bytes]:
    """Read `id:base64-of-32-bytes[,id:…]`; the first key is the one for new values.

    Raises:
        SettingsError: The text is not of that form; the message names the setting and never the key.
    """
    keys: dict[str, bytes] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        key_id, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not key_id or len(key_id.encode()) > _MAX_KEY_ID_BYTES or len(key) != _KEY_BYTES:
            raise SettingsError(f"{setting} must be id:base64-of-32-bytes, comma separated")
        if key_id in keys:
            raise SettingsError(f"{setting} names the key id {key_id!r} twice")
        keys[key_id] = key
    if not keys:
        raise SettingsError(f"{setting} holds no key")
    return keys
