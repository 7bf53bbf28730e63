"""Words of API credentials."""

from types import MappingProxyType

TITLE = "API credentials"
LEAD = "With a credential, a program of yours calls the API for this workspace and those below."
CREATE = "Create credential"
CLIENT_ID = "Client ID"
NAME = "Name"
NAME_HINT = "What it is for; at most 100 characters."
CREATED = "Created"
EXPIRES = "Expires"
LAST_USED = "Last used"
ROLE = "Role"
STATUS = "Status"
NEVER = "Never"
REVOKE = "Revoke"
ROLE_HINT = "What it may do; no more than you may."
ROLES = MappingProxyType(
    {
        "viewer": "Viewer: reads",
        "administrator": "Administrator: changes webhooks",
        "super_admin": "Super admin: also manages credentials",
    }
)
EXPIRES_HINT = "The last moment in UTC; leave it empty for one that never expires."
STATUSES = MappingProxyType(
    {"active": ("In force", "good"), "expired": ("Expired", "muted"), "revoked": ("Revoked", "muted")}
)
EMPTY = "No credentials yet"
EMPTY_LEAD = "Create one for each program that calls the API, so that you can revoke it by itself. Ten may be in force."
CREATED_TITLE = "The credential is created"
CREATED_LEAD = "Copy the secret now: it is shown this once and never again."
CLIENT_SECRET = "Client secret"  # noqa: S105 - a label
CREATED_ALREADY = (
    "This form was sent before, and the credential is created. If you have not kept its secret, revoke it and create "
    "another one."
)
DONE = "I have copied it"
REVOKE_TITLE = "Revoke “{name}”?"
REVOKE_LEAD = "This cannot be undone. Every program that uses it is refused at once, its access tokens with it."
REVOKE_CONFIRM = "Revoke credential"
TOLD = MappingProxyType({"revoked": "The credential is revoked."})
LIST = "Credentials of this workspace"
BAD_TIME = "Give a day and a time, such as 2026-12-31T23:59."
