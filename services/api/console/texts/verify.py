"""Words of the page that shows how to verify a signature."""

TITLE = "Verify a signature"
LEAD = (
    "Every delivery is signed with the secret of this webhook. Verify webhook-signature: it covers id, time and body, "
    "so nobody can send another body or an old one again."
)
COROS_OWN = (
    "X-Coro-Signature is the HMAC-SHA256 of X-Coro-Hook-Id alone, in lower-case hex. It proves who sends, not what is "
    "sent. Each example holds the check of it as well."
)
STEPS_TITLE = "In three steps"
STEPS = (
    "Take the bytes of the body as they came, before any JSON parser touches them.",
    "Compute HMAC-SHA256 over webhook-id, a dot, webhook-timestamp, a dot and the body; the key is the secret.",
    "Compare in constant time with each entry of webhook-signature, and refuse timestamps older than five minutes.",
)
EXAMPLE = "The example"
EXAMPLE_OWN = "The last delivery of this webhook, planned {at}."
EXAMPLE_MADE_UP = "This webhook has had no delivery that is short enough to be shown, so this one is made up."
EXAMPLE_SIGNED = "webhook-signature is made with the present secret."
EXAMPLE_MASKED = "webhook-signature is masked; administrators see it here."
SECRET_FROM = (
    "The examples take the secret from the environment variable SECRET and never contain it. "  # noqa: S105 - a sentence
    "Put it there, run one as it stands, and it prints “authentic”."
)
SECRET_FROM_MASKED = (
    "The examples take the secret from the environment variable SECRET and never contain it. "  # noqa: S105 - a sentence
    "As the signature is masked here, put one in its place that your server has received."
)
BODY = "Body"
CODE = "Code"
RUN = "Run it:"
COPY_CODE = "the code in {language}"
