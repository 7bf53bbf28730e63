"""Words of a webhook's details: figures, deliveries, attempts, replays, secrets and explanations."""

from types import MappingProxyType

BACK_TO_LIST = "All webhooks"
BACK_TO_DETAILS = "Back to “{name}”"
OPEN_DETAILS = "Deliveries and figures"

# --- Actions ---

REPLAY = "Replay"
ROTATE = "Rotate secret"
EXPLAIN = "Explain"
VERIFY = "Verify a signature"
TOOLS = "Tools of this webhook"

# --- Figures ---

FIGURES = "Figures"
SPAN = "Time span"
SPANS = MappingProxyType({"1": "24 hours", "7": "7 days"})
SUCCESS = "Success rate"
P50 = "Half within"
P95 = "95 % within"
DELIVERIES_MADE = "Deliveries"
NO_FIGURE = "–"  # noqa: RUF001 - a dash for no number
VOLUME = "Deliveries by the hour"
VOLUME_LABEL = "{delivered} delivered and {failed} failed since {since}, at most {most} within one hour"
TIMES = "Time to answer by the hour"
TIMES_LABEL = "Half of the answers within {p50}, 95 of 100 within {p95}"
NO_TIMES = "No answers in this time"
INCOMPLETE = "There were so many deliveries that only the latest count here, from {since} on."
BY_HOUR = "Figures by the hour"
HOUR = "Hour (UTC)"
DELIVERED = "Delivered"
FAILED = "Failed"
NOTHING_HAPPENED = "No deliveries in this time."

# --- Configuration ---

CONFIGURATION = "Configuration"
SHADOW_URL = "Tried out at"
PREVIOUS_SECRET = "The secret before also signs until {until}."  # noqa: S105 - a sentence
AFTER_DISABLED = "Enable it, then replay what it missed."
REPLACED_LINK = "See the webhook that took over"

# --- Deliveries ---

DELIVERIES = "Deliveries"
LIVE = "Live"
LIVE_HINT = "New deliveries show by themselves."
NOT_LIVE = "Not live"
REFRESH = "Refresh"
NEW_ONE = "1 new delivery"
NEW_MANY = "{count} new deliveries"
EVENT = "Event"
WORKSPACE = "Workspace"
STATE = "State"
ANSWER = "Answer"
ATTEMPTS = "Attempts"
TIME = "Time (UTC)"
FILTERS = "Filter deliveries"
ANY_STATE = "Any state"
ANY_EVENT = "Any event"
FROM = "From (UTC)"
UNTIL = "Until (UTC)"
WORKSPACE_ID = "Workspace id"
OLDER = "Older"
NEWEST = "Newest"
TEST_EVENT = "Test"
SHADOW = "trial of a draft"
NO_DELIVERIES = "No deliveries yet"
NO_DELIVERIES_HINT = "They show here the moment something happens that this webhook is for. Send a test to see one now."
NONE_MATCH = "No delivery matches the filters."
GO_ON = "The search has not come to its end; go on with “Older”."
NEXT_ATTEMPT = "next attempt {at}"
NO_ANSWER = "no answer"
IN_MS = "{status} in {duration}"

OUTCOMES = MappingProxyType(
    {
        "delivered": "Delivered",
        "redirected": "Redirected",
        "gone": "Gone",
        "busy": "Busy",
        "refused_by_receiver": "Refused",
        "receiver_failed": "Receiver failed",
        "unexpected_status": "Unexpected status",
        "connection_refused": "Connection refused",
        "connection_broken": "Connection broken",
        "timed_out": "Timed out",
        "tls_failed": "No secure connection",
        "name_not_found": "Host not found",
        "name_unresolved": "Name servers silent",
        "malformed_answer": "Not HTTP",
        "address_forbidden": "Address not public",
        "unsendable": "Cannot be sent",
    }
)

# --- One delivery ---

DELIVERY_TITLE = "Delivery of “{event}”"
HOOK_ID = "Hook id"
EVENT_ID = "Event id"
CREATED = "Planned"
FINISHED = "Over since"
DUE = "Next attempt"
ADDRESS = "Sent to"
RETRY = "Retry now"
RETRY_HINT = "One attempt, at once. Its failure never disables the webhook."
RESEND = "Resend"
RESEND_HINT = "Sends it once more with the same hook id, which a good receiver knows and skips."
TIMING = "Timing"
TIMING_LABEL = "Attempt {number} began {offset} after the first and took {duration}"
AFTER = "after {offset}"
ATTEMPT = "Attempt {number}"
NO_ATTEMPTS = "No attempt was made yet."
REQUEST_HEADERS = "Request headers"
REQUEST_BODY = "Request body"
NO_BODY = "It cannot be made anew."
MASKED = "Signatures and the values of the webhook’s own headers are masked."  # noqa: RUF001 - as it is printed
ANSWER_HEAD = "Answer, status and headers"
ANSWER_BODY = "Answer, body"
EMPTY_ANSWER = "Empty"
NO_ANSWER_CAME = "No answer came."
WHY_EXPLAIN = "Explain this event"

TOLD = MappingProxyType(
    {
        "retried": "The delivery is due now; its attempt shows below in a moment.",
        "resent": "The delivery is sent once more; its attempt shows below in a moment.",
        "cancelled": "The replay is cancelled. What it has taken so far is sent all the same.",
        "drafted": "A draft of the newest version is made. It delivers nothing until it is published.",
        "published": "The draft is published: it takes over from now on, and the version before is disabled.",
        "switched-back": "Switched back: the version before delivers again, and this one is a draft.",
        "discarded": "The draft is discarded.",
    }
)

# --- Replay ---

REPLAY_TITLE = "Replay to “{name}”"
REPLAY_LEAD = "Sends again what this webhook missed, what was held back while it was disabled, and what has failed."
SINCE = "Events since (UTC)"
INCLUDE = "What to send"
INCLUDES = MappingProxyType(
    {
        "missed": ("Missed", "events without a delivery, such as those of a time when it was disabled"),
        "held": ("Held back", "deliveries that waited when it was disabled"),
        "failed": ("Failed", "deliveries that were given up"),
    }
)
RATE = "At most a second"
RATE_HINT = "Deliveries of new events come on top."
COUNT = "Count first"
COUNTED = "This would send {total} deliveries:"
COUNTED_ONE = "This would send 1 delivery:"
COUNTED_NONE = "There is nothing to send again since then."
COUNT_PARTS = "{missed} missed, {held} held back, {failed} failed."
START = "Send {total} again"
DISABLED_FIRST = "The webhook is disabled. Enable it first, then replay."
HARMLESS = "Each event reaches the webhook once, however often you replay."
REPLAYS = "Replays"
REPLAY_RUNNING = "Replay under way"
REPLAY_STATES = MappingProxyType(
    {"running": ("Under way", "calm"), "done": ("Done", "good"), "cancelled": ("Cancelled", "warn")}
)
PROGRESS = "{replayed} of {expected}"
PROGRESS_LABEL = "Progress of the replay"
SINCE_THEN = "events since {since}"
CANCEL_REPLAY = "Cancel replay"
LOOK_AGAIN = "Look again"
NO_SINCE = "Give a day and a time, such as 2026-11-24T08:00."

# --- Secret ---

ROTATE_TITLE = "Rotate the secret of “{name}”"
ROTATE_LEAD = (
    "A new secret signs from the next attempt on. For a while the present one signs too, in webhook-signature, "
    "so that your server can follow."
)
ROTATE_LEGACY = "X-Coro-Signature has room for one signature and uses the new secret at once."
OVERLAP = "The present secret also signs for"
OVERLAPS = MappingProxyType(
    {
        0: "no time: it ends at once (it has leaked)",
        1: "1 hour",
        24: "24 hours",
        72: "3 days",
        168: "7 days",
    }
)
OWN_SECRET = "New secret"  # noqa: S105 - a label
OWN_SECRET_HINT = "Leave it empty to have a random one made."  # noqa: S105 - a sentence
ROTATED_TITLE = "The new secret"
ROTATED = "Copy the secret now: it is shown this once and never again."
ROTATED_OVERLAP = "Until {until} the secret before also signs."
ROTATED_ONLY = "The secret before signs nothing any more."
ROTATED_NEXT = "Put it where your server finds it."
DONE = "I have copied it"
ROTATED_ALREADY = (
    "The webhook has changed since this form was opened, perhaps by this very form. "
    "If you have not kept the new secret, rotate once more."
)

# --- Explain ---

EXPLAIN_TITLE = "Explain “{name}”"
EXPLAIN_LEAD = "Why did, or did not, an event reach this webhook? Each rule gives its verdict; nothing is sent."
PAST_EVENT = "An event that happened"
PAST_EVENT_HINT = "Our id of the event, as each delivery shows it; or its source and the source’s id."  # noqa: RUF001 - as it is printed
SOURCE = "Source"
SOURCE_ID = "Id at the source"
MADE_UP = "An event made up"
MADE_UP_HINT = "As if it happened now."
ASK = "Explain"
VERDICTS = "Verdicts"
HOLDS = "Holds"
BREAKS = "Does not hold"
RULES = MappingProxyType(
    {
        "state": "State",
        "trigger": "Trigger",
        "tree": "Tree",
        "version": "Version",
        "time": "Time",
        "duplicate": "Once only",
    }
)
SEE_DELIVERY = "See the delivery"
EVENT_TYPE = "Event"
