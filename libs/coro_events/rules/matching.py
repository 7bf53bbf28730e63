"""Whether a webhook wants an event, rule by rule, a sentence each: pure, and held to the dispatcher's SQL by a test.

The dispatcher decides in SQL, for a whole batch at once and over an index; this is the same decision for one webhook
and one event, for whoever asks why.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from coro_events.rules.webhooks import WebhookState


class Rule(StrEnum):
    """What must hold for an event to reach a webhook."""

    # The webhook is enabled, or a draft that is tried out.
    STATE = "state"
    # The webhook wants events of this type.
    TRIGGER = "trigger"
    # The event happened in the webhook's workspace, or below it where the webhook applies to all descendants.
    TREE = "tree"
    # The type exists in the webhook's version, and that version is alive.
    VERSION = "version"
    # The webhook was there and enabled when the event came in.
    TIME = "time"
    # The event was not taken in before.
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one rule holds, in a sentence for the webhook's owner."""

    rule: Rule
    holds: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Wish:
    """A webhook, as far as matching depends on it.

    Attributes:
        triggers: The slugs of the types it wants.
        disabled_reason: Why it is disabled, if it is.
        replaced_by: The webhook that took over from it, if one did.
        is_tried_out: Whether it is a draft with a second URL, beside an original that is enabled.
    """

    workspace_id: str
    state: WebhookState
    triggers: Collection[str]
    apply_to_all_descendants: bool
    disabled_reason: str | None = None
    replaced_by: str | None = None
    is_tried_out: bool = False


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event, as far as matching depends on it.

    Attributes:
        type: The slug.
        path: The workspace ids from the root down to where it happened; none where nobody has announced the workspace.
    """

    type: str
    workspace_id: str
    path: Sequence[str] | None


def wants(wish: Wish, occurrence: Occurrence) -> bool:
    """Return whether the dispatcher plans a delivery of this event to this webhook."""
    return all(verdict.holds for verdict in matching_verdicts(wish, occurrence))


def matching_verdicts(wish: Wish, occurrence: Occurrence) -> tuple[Verdict, Verdict, Verdict]:
    """Return the verdicts on state, trigger and tree: all that the dispatcher asks before it plans a delivery."""
    return _state(wish), _trigger(wish, occurrence), _tree(wish, occurrence)


def _state(wish: Wish) -> Verdict:
    match wish.state:
        case WebhookState.ENABLED:
            sentence = "The webhook is enabled."
        case WebhookState.DISABLED if wish.replaced_by is not None:
            sentence = f"The webhook was replaced by {wish.replaced_by}, which gets the events in its place."
        case WebhookState.DISABLED:
            why = f": {wish.disabled_reason}" if wish.disabled_reason else ""
            sentence = f"The webhook is disabled{why.rstrip('.')}."
        case WebhookState.DRAFT if wish.is_tried_out:
            sentence = "The webhook is a draft that is tried out: events go to its second URL, beside its original."
        case WebhookState.DRAFT:
            sentence = "The webhook is a draft and gets nothing until it is published."
        case WebhookState.EXPIRED:
            sentence = "The webhook is expired and gets nothing any more; its draft can be published."
        case other:
            assert_never(other)
    holds = wish.state is WebhookState.ENABLED or (wish.state is WebhookState.DRAFT and wish.is_tried_out)
    return Verdict(Rule.STATE, holds, sentence)


def _trigger(wish: Wish, occurrence: Occurrence) -> Verdict:
    holds = occurrence.type in wish.triggers
    sentence = f"{occurrence.type} is {'' if holds else 'not '}among the triggers of the webhook."
    return Verdict(Rule.TRIGGER, holds, sentence)


def _tree(wish: Wish, occurrence: Occurrence) -> Verdict:
    here, there = wish.workspace_id, occurrence.workspace_id
    if occurrence.path is None or here not in occurrence.path:
        return Verdict(Rule.TREE, holds=False, sentence=f"There is no workspace {there} at or below {here}.")
    if there == here:
        return Verdict(Rule.TREE, holds=True, sentence=f"It is an event of {here}, the workspace of the webhook.")
    if wish.apply_to_all_descendants:
        sentence = f"{there} is below {here}, and the webhook applies to all descendants."
        return Verdict(Rule.TREE, holds=True, sentence=sentence)
    sentence = f"{there} is below {here}, and the webhook does not apply to descendants."
    return Verdict(Rule.TREE, holds=False, sentence=sentence)
