"""Signatures: Coro's own over the hook id, and Standard Webhooks over id, time and body.

Coro's scheme as published signs the id alone, so it proves who sends and not what; the second one, from the Standard
Webhooks specification, proves the body too. Both use the secret's UTF-8 bytes as the key.
"""

import hmac
from base64 import b64encode

HASH = "sha256"


def coro_signature(secret: bytes, hook_id: str) -> str:
    """Return `X-Coro-Signature`: HMAC-SHA256 of the hook id, in lower-case hex."""
    return hmac.digest(secret, hook_id.encode(), HASH).hex()


def standard_signature(secret: bytes, hook_id: str, timestamp_s: int, body: bytes) -> str:
    """Return one `v1,…` entry of `webhook-signature`: HMAC-SHA256 of `id.timestamp.body`, in base64."""
    signed = b"%b.%d.%b" % (hook_id.encode(), timestamp_s, body)
    return "v1," + b64encode(hmac.digest(secret, signed, HASH)).decode()
