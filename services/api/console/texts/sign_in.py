"""Words of signing in and out."""

TITLE = "Sign in"
LEAD = "to the Coro console"
EMAIL = "Email address"
PASSWORD = "Password"  # noqa: S105 - a label
SUBMIT = "Sign in"
OR = "or"
OPENID = "Continue with single sign-on"
FAILED = "The email address or the password is not right."
TOO_MANY = "There were too many failed attempts. Try again in {wait}."
OPENID_FAILED = "Single sign-on did not work: {reason}."
SIGNED_OUT = "You are signed out."
SIGNED_OUT_EVERYWHERE = "You are signed out on all devices."
SESSION_OVER = "Your session is over. Sign in to go on where you were."
SESSION_OVER_KEPT = (
    "Your session is over, and nothing was saved. Sign in: what you typed is kept in this page until then."
)
OPENID_ASIDE = "Single sign-on in a new tab"
ASIDE_DONE = "I have signed in there"
KEPT_TITLE = "Your session is a new one"
KEPT_SHOWN = "What you typed is still here, and not saved. The form comes filled in as you left it."
KEPT_SHOW = "Back to the form"
KEPT_SENT = "What you typed is still here, and was not sent, as your session was over."
KEPT_SEND = "Send it now"
KEPT_DROP = "Discard it"
CLAIM = "Every change, told once, signed."
CLAIM_MORE = (
    "Webhooks tell your billing what happens in your workspaces and in all of your customers’ workspaces, "  # noqa: RUF001 - as it is printed
    "the moment it happens."
)
