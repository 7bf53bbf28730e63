"""Signatures: against vectors that OpenSSL computed, and against a verifier that is not ours."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from coro_events.runtime.clock import SystemClock
from services.dispatcher.deliver.sign import coro_signature, standard_signature

HOOK_ID = "9d3c1f52-7a55-4bb0-8a7e-0a7c5a4f2e90"
PLAIN = b"0123456789abcdef0123456789abcdef"
FOREIGN = "schlüssel-ключ".encode()


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        (PLAIN, "7a8c1f6bd5425a0bbd4dd5cb658ea203a69ee2cbd5447c443952e8aa8187bff2"),
        (FOREIGN, "dbe3a09b9bb934240e03635fda0295822393436e5359351c5bb6b86b7e4d2c74"),
    ],
)
def test_coro_signature_equals_what_openssl_says(secret: bytes, expected: str) -> None:
    assert coro_signature(secret, HOOK_ID) == expected


@pytest.mark.parametrize(
    ("secret", "hook_id", "timestamp_s", "body", "expected"),
    [
        (PLAIN, HOOK_ID, 1772445600, b'{"id":"x"}', "v1,wQBkxx4rwHUXC+oz7p7V7JGUQ9atoU7stgtR7aCpd4Y="),
        (FOREIGN, "msg_1", 1, b"", "v1,anA5dtC7RkO2FacSxrSd/kIseqz00mj0+zYD9biH1i8="),
    ],
)
def test_standard_signature_equals_what_openssl_says(
    secret: bytes, hook_id: str, timestamp_s: int, body: bytes, expected: str
) -> None:
    assert standard_signature(secret, hook_id, timestamp_s, body) == expected


@given(secret=st.binary(min_size=1, max_size=200), hook_id=st.uuids())
def test_coro_signature_is_hmac_sha256_of_the_hook_id(secret: bytes, hook_id: object) -> None:
    expected = hmac.new(secret, str(hook_id).encode(), hashlib.sha256).hexdigest()
    assert coro_signature(secret, str(hook_id)) == expected


def verify(secret: bytes, headers: dict[str, str], body: bytes) -> None:
    Webhook(f"whsec_{base64.b64encode(secret).decode()}").verify(body, headers, json_parse=False)


def signed_headers(secret: bytes, body: bytes) -> dict[str, str]:
    timestamp_s = int(SystemClock().now().timestamp())
    return {
        "webhook-id": HOOK_ID,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": standard_signature(secret, HOOK_ID, timestamp_s, body),
    }


@given(secret=st.binary(min_size=1, max_size=100), text=st.text(max_size=200))
def test_standard_webhooks_package_accepts_ours(secret: bytes, text: str) -> None:
    body = text.encode()
    verify(secret, signed_headers(secret, body), body)


@pytest.mark.parametrize("spoilt", ["body", "webhook-id", "webhook-timestamp", "secret"])
def test_standard_webhooks_package_refuses_ours_when_anything_was_changed(spoilt: str) -> None:
    body, secret = b'{"id":"x"}', PLAIN
    headers = signed_headers(secret, body)
    if spoilt == "body":
        body += b" "
    elif spoilt == "secret":
        secret += b"x"
    elif spoilt == "webhook-timestamp":
        headers[spoilt] = str(int(headers[spoilt]) - 1)
    else:
        headers[spoilt] += "x"
    with pytest.raises(WebhookVerificationError):
        verify(secret, headers, body)
