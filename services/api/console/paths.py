"""The addresses of the console's pages."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

ROOT = "/portal"
SIGN_IN = f"{ROOT}/sign-in"
SIGN_OUT = f"{ROOT}/sign-out"
SIGN_OUT_EVERYWHERE = f"{ROOT}/sign-out-everywhere"
KEPT = f"{SIGN_IN}/kept"
OPENID = f"{SIGN_IN}/openid"
OPENID_BACK = f"{OPENID}/callback"
WORKSPACES = f"{ROOT}/workspaces"
STATIC = f"{ROOT}/static"
WEBHOOKS = f"{ROOT}/settings/connectors/webhooks"
NEW_WEBHOOK = f"{WEBHOOKS}/new"
HOME = WEBHOOKS

WORKSPACE = "workspace"


def webhook(webhook_id: str, *steps: str) -> str:
    """Return the address of something about a webhook, such as its `edit`."""
    return "/".join((WEBHOOKS, quote(webhook_id, safe=""), *steps))


def link(path: str, workspace_id: str, query: Mapping[str, object] | None = None) -> str:
    """Return an address with the workspace that it is about; entries of the query that are empty are left out."""
    shown = {name: str(value) for name, value in (query or {}).items() if value not in (None, "")}
    return f"{path}?{urlencode({WORKSPACE: workspace_id, **shown})}"


def is_ours(address: str) -> bool:
    """Return whether an address that a stranger may have chosen is one of the console's own pages."""
    # Browsers take a backslash for a slash, and cut control characters before they look.
    return address.startswith(f"{ROOT}/") and address.isprintable() and "\\" not in address and "//" not in address
