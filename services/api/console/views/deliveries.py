"""What lists of deliveries show, and one delivery with its attempts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from coro_events.contract.triggers import TEST_TYPE, Trigger
from services.api.console import paths, places
from services.api.console.texts import details as words
from services.api.console.texts import webhooks as webhook_words
from services.api.console.views.clock import iso, second, span_of
from services.api.console.views.webhooks import Tone
from services.api.console.visitor import Visitor
from services.api.history.schemas import AttemptView, DeliveryDetail, DeliveryView

# As much of a body as helps a reader; the API has the rest.
MAX_BODY_CHARACTERS = 20_000
# Width of the drawing of an attempt, and the least that is seen of it.
WIDE = 1_000
_LEAST = 8.0


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery in a list; `number` is a part of ids in the page."""

    id: str
    address: str
    event: str
    workspace: str
    is_elsewhere: bool
    state: Tone
    note: str
    answer: str
    attempts: str
    at: str
    iso: str


class Bar(NamedTuple):
    """An attempt in the drawing: from where, how wide; the wait before it ends where it begins."""

    x: float
    width: float
    tone: str


@dataclass(frozen=True, slots=True)
class AttemptPart:
    """One attempt."""

    number: int
    title: str
    label: str
    bar: Bar
    offset: str
    duration: str
    outcome: Tone
    at: str
    iso: str
    error: str
    headers: tuple[tuple[str, str], ...]
    answer_head: str
    answer_body: str
    is_answered: bool
    is_last: bool


@dataclass(frozen=True, slots=True)
class DeliveryPart:
    """One delivery with its attempts.

    Attributes:
        again: What may be done with it: label, hint and address; none where nothing may.
        polls: Whether something is under way, so that the page should be looked at again.
    """

    row: DeliveryRow
    event_id: str
    url: str
    created: str
    finished: str
    due: str
    body: str
    attempts: tuple[AttemptPart, ...]
    again: tuple[str, str, str] | None
    explain: str
    polls: bool


def event_label(event_type: str, kind: str = "event") -> str:
    """Return the words of an event's type."""
    if event_type == TEST_TYPE:
        return words.TEST_EVENT
    label = Trigger(event_type).label if event_type in set(Trigger) else event_type
    return f"{label} ({words.SHADOW})" if kind == "shadow" else label


def row_of(view: DeliveryView, visitor: Visitor) -> DeliveryRow:
    """Return a delivery as lists show it."""
    last = view.last_attempt
    answer = ""
    if last is not None:
        answer = words.IN_MS.format(
            status=last.status_code or words.OUTCOMES.get(last.outcome, words.NO_ANSWER),
            duration=span_of(last.duration_ms),
        )
    is_waiting = view.due is not None and view.attempts > 0
    return DeliveryRow(
        id=view.id,
        address=visitor.link(places.delivery(view.webhook_id, view.id)),
        event=event_label(view.type, view.kind),
        workspace=view.workspace_id,
        is_elsewhere=view.workspace_id != visitor.workspace.id,
        state=Tone(*webhook_words.DELIVERY_STATES[view.state]),
        note=words.NEXT_ATTEMPT.format(at=second(view.due)) if is_waiting and view.due is not None else "",
        answer=answer,
        attempts=str(view.attempts),
        at=second(view.created),
        iso=iso(view.created),
    )


def part_of(view: DeliveryDetail, visitor: Visitor, *, status: str) -> DeliveryPart:
    """Return one delivery; `status` is the webhook's, which decides what may be done."""
    return DeliveryPart(
        row=row_of(view, visitor),
        event_id=view.event_id,
        url=view.url,
        created=second(view.created),
        finished="" if view.finished is None else second(view.finished),
        due="" if view.due is None else second(view.due),
        body=pretty(view.body),
        attempts=_attempts(view.attempted),
        again=_again(view, visitor, status),
        explain=visitor.link(f"{paths.webhook(view.webhook_id)}/explain", event=view.event_id)
        if view.kind == "event"
        else "",
        polls=view.state == "pending",
    )


def pretty(body: str | None) -> str:
    """Return JSON with its lines indented; anything else as it is."""
    if body is None:
        return ""
    try:
        shown = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        shown = body
    return shown if len(shown) <= MAX_BODY_CHARACTERS else f"{shown[:MAX_BODY_CHARACTERS]} …"


def _again(view: DeliveryView, visitor: Visitor, status: str) -> tuple[str, str, str] | None:
    if not visitor.may_change or status in {"draft", "expired"}:
        return None
    if view.state == "delivered":
        address = visitor.link(places.delivery(view.webhook_id, view.id, "resend"))
        return words.RESEND, words.RESEND_HINT, address
    if view.state == "discarded":
        return None
    return words.RETRY, words.RETRY_HINT, visitor.link(places.delivery(view.webhook_id, view.id, "retry"))


def _attempts(attempted: Sequence[AttemptView]) -> tuple[AttemptPart, ...]:
    if not attempted:
        return ()
    first = attempted[0].started
    whole = max(1, max(one.started + one.duration_ms for one in attempted) - first)
    return tuple(_attempt(one, first, whole, is_last=one is attempted[-1]) for one in attempted)


def _attempt(attempt: AttemptView, first: int, whole: int, *, is_last: bool) -> AttemptPart:
    offset, took = span_of(max(0, attempt.started - first)), span_of(attempt.duration_ms)
    is_good = attempt.outcome == "delivered"
    width = min(float(WIDE), max(_LEAST, WIDE * attempt.duration_ms / whole))
    x = min(WIDE * max(0, attempt.started - first) / whole, WIDE - width)
    outcome = words.OUTCOMES.get(attempt.outcome, attempt.outcome)
    response = attempt.response
    return AttemptPart(
        number=attempt.number,
        title=words.ATTEMPT.format(number=attempt.number),
        label=words.TIMING_LABEL.format(number=attempt.number, offset=offset, duration=took),
        bar=Bar(round(x, 1), round(width, 1), "good" if is_good else "bad"),
        offset="" if attempt.started == first else words.AFTER.format(offset=offset),
        duration=took,
        outcome=Tone(
            outcome if attempt.status_code is None else f"{attempt.status_code} · {outcome}",
            "good" if is_good else "bad",
        ),
        at=second(attempt.started),
        iso=iso(attempt.started),
        error=attempt.error or "",
        headers=tuple(attempt.headers.items()),
        answer_head="" if response is None else response.head or "",
        answer_body="" if response is None else pretty(response.body),
        is_answered=response is not None,
        is_last=is_last,
    )
