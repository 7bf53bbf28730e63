"""Checks of a delivery from the receiver's side, written from the documentation and sharing no code with the sender."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime

TOLERANCE_S = 300


def coro_signature(hook_id: str, secret: str) -> str:
    """Return what X-Coro-Signature must be: HMAC-SHA256 of the hook id, lower-case hex."""
    return hmac.new(secret.encode(), _bytes(hook_id), hashlib.sha256).hexdigest()


def standard_signature(hook_id: str, timestamp: str, body: bytes, secret: str) -> str:
    """Return what webhook-signature must hold: HMAC-SHA256 of id, timestamp and body, base64 after `v1,`."""
    signed = _bytes(f"{hook_id}.{timestamp}.") + body
    return f"v1,{b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()}"


def is_coro_signature(signature: str, hook_id: str, secret: str) -> bool:
    """Return whether a signature is the one of the hook id; takes the same time wherever it differs."""
    return hmac.compare_digest(_bytes(signature), coro_signature(hook_id, secret).encode())


def is_standard_signature(signatures: str, hook_id: str, timestamp: str, body: bytes, secret: str) -> bool:
    """Return whether one of the signatures, separated by spaces, is right; there are two while a secret is rotated."""
    expected = standard_signature(hook_id, timestamp, body, secret).encode()
    return any(hmac.compare_digest(_bytes(one), expected) for one in signatures.split(" "))


def faults(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> list[str]:
    """Return what is wrong with a delivery; nothing means verified.

    Args:
        headers: The delivery's headers, names in lower case.
        body: The raw body.
        secret: The webhook's secret.
        now: To judge the timestamp by.
    """
    hook_id = headers.get("x-coro-hook-id", "")
    found = []
    if not hook_id:
        found.append("X-Coro-Hook-Id is missing")
    if "x-coro-signature" not in headers:
        found.append("X-Coro-Signature is missing")
    elif not is_coro_signature(headers["x-coro-signature"], hook_id, secret):
        found.append("X-Coro-Signature does not match")
    if "webhook-signature" in headers:
        found.extend(_standard_faults(headers, body, secret, now))
    return found


def _standard_faults(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> list[str]:
    timestamp = headers.get("webhook-timestamp", "")
    found = []
    if not is_standard_signature(headers["webhook-signature"], headers.get("webhook-id", ""), timestamp, body, secret):
        found.append("webhook-signature does not match")
    if headers.get("webhook-id") != headers.get("x-coro-hook-id"):
        found.append("webhook-id differs from X-Coro-Hook-Id")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):  # noqa: PLR2004 - seconds until the year 33658
        found.append("webhook-timestamp is no number of seconds")
    elif abs(now.timestamp() - int(timestamp)) > TOLERANCE_S:
        found.append(f"webhook-timestamp is more than {TOLERANCE_S} s away")
    return found


def _bytes(text: str) -> bytes:
    """Return what was sent; a command line may hold bytes that are no UTF-8."""
    return text.encode("utf-8", "surrogateescape")
