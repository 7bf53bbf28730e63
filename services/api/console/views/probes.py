"""What became of a test that was asked for just now."""

from typing import NamedTuple

from services.api.console import paths
from services.api.console.texts import webhooks as words
from services.api.console.visitor import Visitor
from services.api.webhooks.ports import TestDelivery
from services.api.webhooks.view import view_of_test

# As much of an answer as helps to see what is wrong.
MAX_ANSWER_CHARACTERS = 1_000


class Probe(NamedTuple):
    """A test; `kind` is plain, good or bad.

    Attributes:
        polls: Where to look again; empty when it is over.
    """

    webhook_id: str
    text: str
    kind: str
    polls: str = ""
    again: str = ""
    answer: str = ""


def probe_of(test: TestDelivery | None, visitor: Visitor, *, webhook_id: str, test_id: str, since: int) -> Probe:
    """Return what to show of a test, which may not have been planned yet.

    Args:
        test: As far as it is known.
        visitor: Who looks.
        webhook_id: Of what is tested.
        test_id: As it was asked for.
        since: When that was, UTC in milliseconds.
    """
    view = None if test is None else view_of_test(test)
    if view is None or view.state == "pending":
        polls = visitor.link(paths.webhook(webhook_id, "tests", test_id), since=since)
        again = visitor.link(paths.WEBHOOKS, of=webhook_id, test=test_id, since=since)
        return Probe(webhook_id, words.TEST_PENDING, "plain", polls, again)
    answer = "" if view.response is None else (view.response.body or "")[:MAX_ANSWER_CHARACTERS]
    if view.state == "delivered":
        text = words.TEST_DELIVERED.format(status=view.status_code, duration=view.duration_ms)
        return Probe(webhook_id, text, "good", answer=answer)
    if view.status_code is not None:
        reason = words.TEST_FAILED_STATUS.format(status=view.status_code)
    else:
        reason = f"{(view.error or words.TEST_FAILED_UNKNOWN).rstrip('.')}."
    return Probe(webhook_id, words.TEST_FAILED.format(reason=reason), "bad", answer=answer)
