"""What the dispatcher does not ask about one event, and its owner does: version, time, and whether it came before."""

from datetime import UTC, datetime

from coro_events.contract.bodies import VERSIONS
from coro_events.contract.triggers import TEST_TYPE
from coro_events.rules.matching import Rule, Verdict
from coro_events.rules.sunset import GRACE
from coro_events.rules.webhooks import WebhookState
from services.api.explain.ports import Asked, PastDelivery, PastEvent, Then


def version_verdict(asked: Asked, *, named: int | None, at: datetime) -> Verdict:
    """Return whether the webhook's version can tell an event of that time.

    Args:
        asked: The webhook.
        named: The version that the question names; none where it names none.
        at: When the event happens.
    """
    ours = asked.version
    if named is not None and named != ours:
        sentence = f"The webhook is of version {ours}; it tells every event in that version, and none in {named}."
        return Verdict(Rule.VERSION, holds=False, sentence=sentence)
    if ours not in VERSIONS:
        return Verdict(Rule.VERSION, holds=False, sentence=f"Version {ours} has no format yet, so nothing can be sent.")
    if asked.expires_at is not None and at >= asked.expires_at + GRACE:
        ended = _utc(asked.expires_at + GRACE)
        return Verdict(Rule.VERSION, holds=False, sentence=f"Version {ours} delivers nothing from {ended} on.")
    return Verdict(Rule.VERSION, holds=True, sentence=f"The webhook is told in version {ours}.")


def time_of_past(asked: Asked, event: PastEvent, then: Then) -> Verdict:
    """Return whether the webhook was there to get an event when it came in; when it happened does not matter."""
    came = _utc(event.received_at)
    if event.received_at < asked.created_at:
        sentence = f"The event came in at {came}, and the webhook exists since {_utc(asked.created_at)}."
        return Verdict(Rule.TIME, holds=False, sentence=sentence)
    if then.state is not None and then.state is not WebhookState.ENABLED:
        was = "a draft" if then.state is WebhookState.DRAFT else then.state.value
        sentence = f"The event came in at {came}, when the webhook was {was}."
        return Verdict(Rule.TIME, holds=False, sentence=sentence)
    sentence = f"The event came in at {came}, when the webhook was there."
    if then.changed_at is not None:
        # What it wanted before is not kept.
        sentence = (
            f"The event came in at {came}; the settings of the webhook were changed at {_utc(then.changed_at)}, so "
            "that the other rules may have come out otherwise then."
        )
    return Verdict(Rule.TIME, holds=True, sentence=sentence)


def time_of_made_up(asked: Asked, occurred_at: datetime) -> Verdict:
    """Return whether the webhook would be there; an event that came in now is meant, whenever it happened."""
    late = occurred_at < asked.created_at
    sentence = "An event that comes in now reaches the webhook, whenever it happened."
    if late:
        sentence = "An event that comes in now reaches the webhook, although it happened before the webhook existed."
    return Verdict(Rule.TIME, holds=True, sentence=sentence)


def duplicate_of_past(event: PastEvent, delivery: PastDelivery | None) -> Verdict:
    """Return whether the event still had its one turn; a repeat of an event is planned by its first copy alone."""
    if delivery is not None:
        return Verdict(Rule.DUPLICATE, holds=True, sentence="It has its one delivery; a repeat makes no second one.")
    sentence = f"It was taken in at {_utc(event.received_at)}; emitting it again makes no delivery, a replay does."
    return Verdict(Rule.DUPLICATE, holds=False, sentence=sentence)


def duplicate_of_made_up() -> Verdict:
    """Return that nothing made up was there before."""
    return Verdict(Rule.DUPLICATE, holds=True, sentence="It is made up, so it did not come in before.")


def summary_of_past(event: PastEvent, delivery: PastDelivery | None, broken: list[Verdict]) -> str:
    """Return in one sentence whether a past event reached the webhook."""
    if delivery is not None:
        return f"The event has a delivery to this webhook, which is {delivery.state.value}."
    if event.type == TEST_TYPE:
        return "It is a test, which goes to the webhook it was asked for and to no other."
    why = [verdict for verdict in broken if verdict.rule is not Rule.DUPLICATE]
    if why:
        return f"The event made no delivery to this webhook. {why[0].sentence}"
    return "The event made no delivery to this webhook, although it would now; a replay makes one."


def summary_of_made_up(broken: list[Verdict]) -> str:
    """Return in one sentence whether a made-up event would reach the webhook."""
    if broken:
        return f"Such an event would not reach this webhook. {broken[0].sentence}"
    return "Such an event would reach this webhook."


def _utc(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
