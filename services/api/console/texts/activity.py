"""Words of the activity log."""

from types import MappingProxyType

TITLE = "Activity log"
LEAD = "Who did what, when: changes of webhooks, automatic steps, credentials and sign-ins. Newest first."
ACTION = "What"
ACTOR = "Who"
ACTOR_HINT = "Such as user:ada@example.com"
SUBJECT = "Webhook id"
FROM = "From (UTC)"
UNTIL = "Until (UTC)"
CHILDREN = "With child workspaces"
ANY = "Anything"
CSV = "Download as CSV"
OLDER = "Older"
NEWEST = "Newest"
EMPTY = "Nothing is on record yet."
NONE_MATCH = "Nothing matches the filters."
FILTERS = "Filter the activity log"

ACTIONS = MappingProxyType(
    {
        "webhook.created": "Webhook created",
        "webhook.updated": "Webhook changed",
        "webhook.enabled": "Webhook enabled",
        "webhook.disabled": "Webhook disabled",
        "webhook.deleted": "Webhook removed",
        "webhook.expired": "Webhook expired",
        "webhook.sunset_announced": "Expiry announced",
        "webhook.sunset_reminded": "Reminder of the expiry",
        "webhook.sunset_warned": "Warning before the expiry",
        "webhook.secret_rotated": "Secret rotated",
        "webhook.test_requested": "Test asked for",
        "webhook.replay_requested": "Replay asked for",
        "webhook.replay_cancelled": "Replay cancelled",
        "webhook.draft_created": "Draft made",
        "webhook.draft_published": "Draft published",
        "webhook.switched_back": "Switched back",
        "delivery.retry_requested": "Retry asked for",
        "delivery.resend_requested": "Resend asked for",
        "credential.created": "Credential created",
        "credential.revoked": "Credential revoked",
        "credential.signed_in": "Credential signed in",
        "user.signed_in": "Signed in",
        "user.sign_in_failed": "Sign-in failed",
        "user.signed_out": "Signed out",
        "user.signed_out_everywhere": "Signed out everywhere",
        "user.created": "User created",
        "user.password_changed": "Password changed",
        "user.notifications_changed": "Mail notifications changed",
        "version.released": "Version released",
        "workspace.created": "Workspace created",
        "workspace.updated": "Workspace changed",
        "workspace.moved": "Workspace moved",
        "workspace.archived": "Workspace archived",
        "workspace.restored": "Workspace restored",
    }
)
KINDS = MappingProxyType({"user": "", "credential": "API client", "system": "System"})
