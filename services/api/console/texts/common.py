"""Words that all pages share."""

from types import MappingProxyType

BRAND = "Coro"
PRODUCT = "Coro Webhooks"
CONNECTORS = "Connectors"
WEBHOOKS = "Webhooks"
SKIP = "Skip to the content"
SECTIONS = "Sections"
TABS = "Connectors"
SIGN_OUT = "Sign out"
SIGN_OUT_EVERYWHERE = "Sign out everywhere"
ACCOUNT = "Account"
SIGNED_IN_AS = "Signed in as"
WORKSPACE = "Workspace"
SWITCH_WORKSPACE = "Switch workspace"
CANCEL = "Cancel"
OPTIONAL = "optional"
CLOSE = "Close"
BACK = "Back"
SEARCH = "Search"
PREVIOUS = "Previous"
NEXT = "Next"
PAGES = "Pages"
COPY = "Copy"
COPIED = "Copied"
SAVED = "Saved."

ROLES = MappingProxyType(
    {
        "viewer": "Viewer",
        "administrator": "Administrator",
        "super_admin": "Super admin",
        "service": "Service",
    }
)

# What went wrong, by status: a heading and a sentence.
FAULTS = MappingProxyType(
    {
        400: ("This cannot be read", "The address or the form is not one of the console's."),
        403: ("You cannot open this", "It belongs to another workspace, or your role does not allow it."),
        404: ("There is nothing here", "The page may have moved, or what it showed was removed."),
        405: ("There is nothing here", "This address only takes forms."),
        409: ("This cannot be done now", "What it is about has changed in the meantime."),
        413: ("This is too long", "The form holds more than can be read."),
        429: ("Too many requests", "Wait a moment, then try again."),
        500: ("Something went wrong on our side", "It was written down. The trace id below leads us to it."),
        503: ("The service cannot do this for a moment", "Try again in a few seconds. Nothing was lost."),
    }
)
FOREIGN_FORM = (
    "This form is not valid any more",
    "It was opened in another session, or sent from another site. Go back, reload the page and send it again.",
)
TRACE_ID = "Trace id"
HOME = "Go to Webhooks"
