"""What browsers are told about every page: nothing from elsewhere, no script or style in the page, no frame."""

from collections.abc import Mapping
from types import MappingProxyType

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)

SECURITY: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # Not `no-referrer`, with which browsers send forms as of no origin.
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }
)
# After signing out, the button Back shows nothing.
PAGE: Mapping[str, str] = MappingProxyType({**SECURITY, "Cache-Control": "no-store"})
HTTPS: Mapping[str, str] = MappingProxyType({"Strict-Transport-Security": "max-age=31536000"})
