"""Words of Connectors > Webhooks: the list, its menu, its details and the form."""

from types import MappingProxyType

TITLE = "Webhooks"
LEAD = (
    "Automate client billing and track usage in real time: get instant notifications on changes like workspace status, "
    "user counts, and add-on activations."
)
CREATE_WEBHOOK = "Create webhook"

# --- The list ---

LIST = "Webhooks of this workspace"
NAME = "Name"
DESCRIPTION = "Description"
URL = "Authentication URL"
TRIGGERS = "Triggers"
SCOPE = "Applies to"
VERSION = "Version"
STATE = "State"
LAST_DELIVERY = "Last delivery"
SUCCESS = "Success, 24 h"
SEARCH_LABEL = "Search webhooks"
SEARCH_HINT = "Name, description or URL"
FILTER_STATE = "State"
FILTER_TRIGGER = "Trigger"
SORT = "Sort by"
ANY_STATE = "Any state"
ANY_TRIGGER = "Any trigger"
APPLY = "Apply"
CLEAR = "Clear"
FOUND = "{total} webhooks"
FOUND_ONE = "1 webhook"
NOTHING_FOUND = "No webhook matches"
NOTHING_FOUND_MORE = "Search for something else, or clear the filters to see all webhooks of this workspace."

EMPTY = "No webhooks yet"
EMPTY_LEAD = (
    "A webhook is an address of yours that Coro calls the moment something changes in this workspace, signed, "
    "so that you know who calls."
)
EMPTY_STEPS = (
    ("Name the address", "The URL of your billing or ticketing system, and a secret that signs every call."),
    ("Choose what to hear of", "New workspaces, changed subscriptions, protected users and devices."),
    ("See the first one arrive", "A test is sent at once, and its result shows here."),
)
EMPTY_VIEWER = "An administrator of this workspace can create one."

STATES = MappingProxyType(
    {
        "enabled": ("Enabled", "good"),
        "disabled": ("Disabled", "warn"),
        "draft": ("Draft", "calm"),
        "expired": ("Expired", "muted"),
    }
)
DELIVERY_STATES = MappingProxyType(
    {
        "pending": ("On its way", "calm"),
        "delivered": ("Delivered", "good"),
        "failed": ("Failed", "bad"),
        "held": ("Held back", "warn"),
        "discarded": ("Discarded", "muted"),
    }
)
NO_DELIVERY = "None yet"
THIS_WORKSPACE = "This workspace"
THIS_AND_CHILDREN = "This and child workspaces"
EXPIRES = "expires"
EXPIRED = "expired"
NO_SUCCESS = "No deliveries"
SUCCESS_LABEL = "{share} of the deliveries of the last 24 hours succeeded"
SUCCESS_LABEL_PART = "About {share} of the deliveries of the last 24 hours succeeded"

ORDERS = MappingProxyType(
    {
        "-created": "Newest first",
        "created": "Oldest first",
        "-updated": "Last changed first",
        "name": "Name, A to Z",
        "-name": "Name, Z to A",
    }
)

# --- Menu and details ---

MENU = "Actions"
EDIT = "Edit"
TEST = "Test"
ENABLE = "Enable"
DISABLE = "Disable"
REMOVE = "Remove"
DETAILS = "Details"
ID = "Id"
SECRET = "Authentication Secret"  # noqa: S105 - a label
SECRET_KEPT = "Kept encrypted; never shown again"  # noqa: S105 - a sentence
HEADERS = "Authorization headers"
NO_HEADERS = "None"
CREATED = "Created"
UPDATED = "Last changed"
NO_DESCRIPTION = "No description"
TEST_WEBHOOK = "Test webhook"
TEST_HINT = "A payload labeled as a test is sent, so that your system need not act upon it."

# --- What a test brought ---

TEST_PENDING = "A test is on its way …"
TEST_SLOW = "The test has no result yet."
TEST_DELIVERED = "The test arrived: your server answered {status} in {duration} ms."
TEST_FAILED = "The test failed: {reason}"
TEST_FAILED_STATUS = "your server answered {status}."
TEST_FAILED_UNKNOWN = "no answer came."
TEST_ANSWER = "What your server answered"
REFRESH = "Look again"

# --- What has just happened, by name in the address ---

TOLD = MappingProxyType(
    {
        "created": "The webhook was created. A test is sent to make sure that the URL receives Coro webhooks.",
        "saved": "The changes are saved. They count from the next attempt on.",
        "enabled": "The webhook is enabled.",
        "disabled": "The webhook is disabled. Its configuration is kept.",
        "removed": "The webhook was removed.",
        "tested": "A test was asked for.",
    }
)

# --- Removing ---

REMOVE_TITLE = "Remove “{name}”?"
REMOVE_LEAD = "This cannot be undone. What is lost:"
REMOVE_LOST = (
    "its configuration: URL, secret, headers and triggers",
    "deliveries that wait to be sent, which are discarded",
    "its history of deliveries in this console",
)
REMOVE_INSTEAD = "To stop deliveries for a while, disable it instead: everything is kept and can be sent later."
REMOVE_CONFIRM = "Remove webhook"

# --- The form ---

NEW_TITLE = "Create webhook"
EDIT_TITLE = "Edit “{name}”"
CREATE = "Create"
SAVE = "Save changes"
FORM_DETAILS = "Details"
FORM_SIGNING = "Address and signature"
FORM_TRIGGERS = "Triggers"
FORM_SCOPE = "Scope"
NAME_HINT = "What you and others will know it by; at most 100 characters."
DESCRIPTION_HINT = "What it is for, and who looks after it."
URL_HINT = "The URL to which the webhook is sent."
URL_EXAMPLE = "https://billing.example.com/coro"
SECRET_HINT = (
    "Used to validate webhooks sent by Coro: it signs X-Coro-Hook-Id, which gives X-Coro-Signature. "  # noqa: S105 - a sentence
    "Keep it where your server finds it; it is not shown again."
)
SECRET_KEEP_HINT = "Leave it as it is to keep the present secret. A new one signs from the next attempt on."  # noqa: S105 - a sentence
GENERATE = "Generate"
HEADERS_LEGEND = "Authorization Header and Value"
HEADERS_HINT = (
    "Any headers and their values required by the receiving endpoint, for routing or additional authorization. "
    "Values are kept encrypted; ******** stands for a kept one."
)
HEADER_NAME = "Header {number}, name"
HEADER_VALUE = "Header {number}, value"
HEADER_NAME_EXAMPLE = "Authorization"
HEADER_VALUE_EXAMPLE = "Bearer …"
ADD_HEADER = "Add header"
REMOVE_HEADER = "Remove header {number}"
TRIGGERS_HINT = "Select what the webhook is sent for."
EXAMPLE = "Example body"
EXAMPLE_OF = "Example body of “{label}”"
SELECT_ALL = "Select all"
APPLY_TO_CHILDREN = "Apply to child workspace"
APPLY_TO_CHILDREN_HINT = (
    "When selected, the webhook applies to all child workspaces of the current workspace, "
    "at any depth and those created later too."
)
AFTER_CREATE = "A test webhook is sent right after, and its result shows in the list."
FAULTS_TITLE = "Please mend this first:"
FIELD_LABELS = MappingProxyType(
    {
        "name": NAME,
        "description": DESCRIPTION,
        "url": URL,
        "secret": SECRET,
        "triggers": "Triggers",
        "headers": "Headers",
    }
)
CONFLICT = (
    "Somebody else has changed this webhook since you opened the form. What you typed is still here: "
    "save again to put it in place of their change, or cancel to see it."
)
