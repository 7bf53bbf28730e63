"""What the list of webhooks shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from coro_events.contract.triggers import Trigger, parse_rest_name
from services.api.console import paths
from services.api.console.texts import webhooks as words
from services.api.console.views.charts import paths_of, percent
from services.api.console.views.order import under_originals
from services.api.console.views.paging import Pager
from services.api.console.views.probes import Probe
from services.api.console.views.times import Moment, day, moment
from services.api.console.visitor import Visitor
from services.api.pulse.service import SILENCE, Beat
from services.api.webhooks.schemas import WebhookView

# So many triggers are named in a row; the others are counted.
NAMED_TRIGGERS = 2
# More does not fit in a row.
SHORT_URL = 80


class Tone(NamedTuple):
    """A word, and the tone it is shown in."""

    text: str
    tone: str


class Success(NamedTuple):
    """The chart of the last day."""

    text: str
    label: str
    paths: tuple[tuple[str, str], ...]


class Expiry(NamedTuple):
    """When the version ends."""

    text: str
    exact: str
    iso: str


@dataclass(frozen=True, slots=True)
class Row:
    """A webhook in the list.

    Attributes:
        toggle: The word of the menu that enables or disables it, and where to; none where its state allows neither.
        probe: What became of the test that was asked for just now.
    """

    id: str
    name: str
    description: str
    url: str
    short_url: str
    triggers: tuple[str, ...]
    more_triggers: int
    all_triggers: tuple[str, ...]
    scope: str
    version: str
    expiry: Expiry | None
    state: Tone
    reason: str
    last_delivery: Tone | None
    last_delivery_at: Moment | None
    success: Success
    headers: tuple[str, ...]
    created: Moment
    updated: Moment
    edit: str
    test: str
    toggle: tuple[str, str] | None
    remove: str
    may_edit: bool
    may_test: bool
    is_gray: bool
    probe: Probe | None = None


class Choice(NamedTuple):
    """An entry of a list to choose from."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """The page.

    Attributes:
        is_filtered: Whether something is searched for; else an empty list means that there is nothing yet.
    """

    rows: tuple[Row, ...]
    told: str
    search: str
    states: tuple[Choice, ...]
    triggers: tuple[Choice, ...]
    orders: tuple[Choice, ...]
    is_filtered: bool
    pager: Pager
    may_create: bool
    create: str
    clear: str


def row_of(view: WebhookView, beat: Beat, visitor: Visitor, *, probe: Probe | None = None) -> Row:
    """Return a webhook as the list shows it."""
    labels = tuple(parse_rest_name(name)[0].label for name in view.triggers)
    last = view.last_delivery
    now = visitor.now
    can_change = visitor.may_change and view.status != "expired"
    return Row(
        id=view.id,
        name=view.name,
        description=view.description,
        url=view.url,
        short_url=view.url if len(view.url) <= SHORT_URL else f"{view.url[:SHORT_URL]}…",
        triggers=labels[:NAMED_TRIGGERS],
        more_triggers=max(0, len(labels) - NAMED_TRIGGERS),
        all_triggers=labels,
        scope=words.THIS_AND_CHILDREN if view.apply_to_all_descendants else words.THIS_WORKSPACE,
        version=f"v{view.version}",
        expiry=_expiry(view, now),
        state=Tone(*words.STATES[view.status]),
        reason=sentence(view.disabled_reason or ""),
        last_delivery=None if last is None else Tone(*words.DELIVERY_STATES[last.state]),
        last_delivery_at=None if last is None else moment(last.finished or last.created, now),
        success=success_of(beat),
        headers=tuple(view.headers),
        created=moment(view.created, now),
        updated=moment(view.updated, now),
        edit=visitor.link(paths.webhook(view.id, "edit")),
        test=visitor.link(paths.webhook(view.id, "test")),
        toggle=_toggle(view, visitor) if can_change else None,
        remove=visitor.link(paths.webhook(view.id, "remove")),
        may_edit=can_change,
        may_test=can_change,
        is_gray=view.status == "expired",
        probe=probe,
    )


def rows_of(
    views: list[WebhookView], beats: Mapping[str, Beat], visitor: Visitor, *, probe: Probe | None
) -> tuple[Row, ...]:
    """Return the webhooks of a page; a draft stands under its original."""
    return tuple(
        row_of(
            view,
            beats.get(view.id, SILENCE),
            visitor,
            probe=probe if probe is not None and probe.webhook_id == view.id else None,
        )
        for view in under_originals(views)
    )


def success_of(beat: Beat) -> Success:
    """Return the chart of the last day."""
    if beat.share is None:
        return Success(words.NO_SUCCESS, words.NO_SUCCESS, paths_of(beat))
    share = percent(beat.share)
    label = words.SUCCESS_LABEL if beat.whole else words.SUCCESS_LABEL_PART
    return Success(share, label.format(share=share), paths_of(beat))


def sentence(text: str) -> str:
    """Return a text that begins with a capital."""
    return text[:1].upper() + text[1:]


def trigger_choices(chosen: Trigger | None) -> tuple[Choice, ...]:
    """Return the triggers to filter by."""
    named = (Choice(one.value, one.label, one is chosen) for one in Trigger)
    return (Choice("", words.ANY_TRIGGER, chosen is None), *named)


def choices(labels: Mapping[str, str], chosen: str, *, none: str | None = None) -> tuple[Choice, ...]:
    """Return a list to choose from; `none` is the label of no choice."""
    first = () if none is None else (Choice("", none, not chosen),)
    return (*first, *(Choice(value, label, value == chosen) for value, label in labels.items()))


def _expiry(view: WebhookView, now: datetime) -> Expiry | None:
    if view.expires is None:
        return None
    at = moment(view.expires, now)
    on = day(datetime.fromtimestamp(view.expires / 1000, tz=UTC))
    is_over = view.expires <= now.timestamp() * 1000
    return Expiry(f"{words.EXPIRED if is_over else words.EXPIRES} {on}", at.exact, at.iso)


def _toggle(view: WebhookView, visitor: Visitor) -> tuple[str, str] | None:
    match view.status:
        case "enabled":
            return words.DISABLE, visitor.link(paths.webhook(view.id, "disable"))
        case "disabled":
            return words.ENABLE, visitor.link(paths.webhook(view.id, "enable"))
        case _:
            return None
