"""What is shown of an explanation: the answer in words, and the verdict of each rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.api.console import places
from services.api.console.texts import details as words
from services.api.console.views.clock import second
from services.api.console.views.deliveries import event_label
from services.api.console.visitor import Visitor
from services.api.explain.schemas import Explanation
from services.api.history.schemas import DeliveryView


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about: an event that happened, or one made up."""

    event: str = ""
    source: str = ""
    source_id: str = ""
    trigger: str = ""
    child: str = ""

    @property
    def is_made_up(self) -> bool:
        """Whether it is about an event that did not happen."""
        return bool(self.trigger or self.child)

    @property
    def is_asked(self) -> bool:
        """Whether anything is asked."""
        return self.is_made_up or bool(self.event or self.source or self.source_id)


class Recent(NamedTuple):
    """An event that the webhook has got."""

    event_id: str
    label: str


class Verdict(NamedTuple):
    """What one rule says."""

    rule: str
    holds: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Explained:
    """The answer.

    Attributes:
        delivery: Where the delivery is shown; empty where there is none.
    """

    sentence: str
    reaches: bool
    event: str
    where: str
    at: str
    verdicts: tuple[Verdict, ...]
    delivery: str


def recent_of(deliveries: Sequence[DeliveryView]) -> tuple[Recent, ...]:
    """Return events to choose from."""
    return tuple(
        Recent(one.event_id, f"{event_label(one.type)}, {second(one.created)}")
        for one in deliveries
        if one.kind == "event"
    )


def explained_of(explanation: Explanation, visitor: Visitor) -> Explained:
    """Return the answer."""
    event, delivery = explanation.event, explanation.delivery
    return Explained(
        sentence=explanation.sentence,
        reaches=explanation.reaches,
        event=event_label(event.type),
        where=event.workspace_id,
        at=second(event.occurred),
        verdicts=tuple(
            Verdict(words.RULES.get(one.rule, one.rule), one.holds, one.sentence) for one in explanation.rules
        ),
        delivery=visitor.link(places.delivery(explanation.webhook_id, delivery.id)) if delivery is not None else "",
    )
