"""What is encrypted at rest, and with which key.

A sealed value is `length of key id (1 byte) | key id | nonce (12 bytes) | AES-256-GCM ciphertext and tag`. The id of
the row and the name of the field are associated data: a value copied to another row or field does not open.
"""

import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from coro_events.errors import SecretUnreadableError

_NONCE_BYTES = 12


class Vault:
    """Seals and opens secrets with a ring of keys, the first of which seals."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._ring = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current = next(iter(keys))

    def seal(self, plain: str, *, row: str, field: str) -> bytes:
        """Return the text encrypted for one field of one row."""
        nonce = os.urandom(_NONCE_BYTES)
        key_id = self._current.encode()
        sealed = self._ring[self._current].encrypt(nonce, plain.encode(), _associated(row, field))
        return bytes([len(key_id)]) + key_id + nonce + sealed

    def open(self, sealed: bytes, *, row: str, field: str) -> str:
        """Return the text that was sealed for this field of this row.

        Raises:
            SecretUnreadableError: Its key is not in the ring, or it belongs to another row or field.
        """
        split = 1 + sealed[0] if sealed else 0
        key = self._ring.get(sealed[1:split].decode(errors="replace"))
        if key is None:
            raise SecretUnreadableError(f"{field} of {row} was sealed with a key that is not there")
        nonce, body = sealed[split : split + _NONCE_BYTES], sealed[split + _NONCE_BYTES :]
        try:
            return key.decrypt(nonce, body, _associated(row, field)).decode()
        except (InvalidTag, ValueError) as error:
            raise SecretUnreadableError(f"{field} of {row} does not belong there") from error


def _associated(row: str, field: str) -> bytes:
    return f"{row}/{field}".encode()
