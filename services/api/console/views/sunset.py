"""What is shown of versions that expire: warnings, drafts beside their originals, and two formats side by side."""

from dataclasses import dataclass
from datetime import datetime

from coro_events.rules.sunset import GRACE, WARNING
from services.api.attention.ports import Expiring
from services.api.attention.service import Soon
from services.api.console import paths
from services.api.console.texts import sunset as words
from services.api.console.views.clock import at_of, second
from services.api.console.views.deliveries import event_label, pretty
from services.api.console.views.times import day, moment
from services.api.console.visitor import Visitor
from services.api.drafts.schemas import Preview
from services.api.webhooks.schemas import WebhookView
from services.api.webhooks.view import milliseconds


@dataclass(frozen=True, slots=True)
class Ending:
    """A webhook whose version is about to expire."""

    name: str
    where: str
    version: str
    address: str


@dataclass(frozen=True, slots=True)
class Warned:
    """What the warning of the last week says.

    Attributes:
        more: How many webhooks are not named; empty where all are.
        pops_up: Whether it was not shown since this sign-in.
    """

    told: str
    items: tuple[Ending, ...]
    more: str
    pops_up: bool


@dataclass(frozen=True, slots=True)
class DraftCard:
    """What can be done about a later version.

    Attributes:
        make: Where to make a draft; empty where there is one or none can be made.
        back: Where to switch back; empty where that cannot be.
    """

    title: str = ""
    lead: str = ""
    before: str = ""
    preview: str = ""
    publish: str = ""
    edit: str = ""
    test: str = ""
    discard: str = ""
    make: str = ""
    make_label: str = ""
    back: str = ""
    back_label: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """An event in both formats."""

    event: str
    where: str
    at: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Previewed:
    """The page that compares two versions."""

    title: str
    old: str
    new: str
    is_examples: bool
    pairs: tuple[Pair, ...]
    draft: DraftCard | None


def warned_of(soon: Soon, visitor: Visitor, *, pops_up: bool) -> Warned | None:
    """Return the warning; none where nothing expires within a week."""
    if not soon.total:
        return None
    first = min(one.expires_at for one in soon.items)
    when = moment(milliseconds(first), visitor.now)
    text = words.WARNING_ONE if soon.total == 1 else words.WARNING_MANY.format(total=f"{soon.total:,}", when="{when}")
    more = soon.total - len(soon.items)
    return Warned(
        told=text.format(when=f"{when.text}, on {day(first)}"),
        items=tuple(_ending(one, visitor) for one in soon.items),
        more=words.WARNING_MORE.format(count=f"{more:,}") if more else "",
        pops_up=pops_up,
    )


def _ending(one: Expiring, visitor: Visitor) -> Ending:
    step = ("preview",) if one.draft_id is not None else ()
    return Ending(
        name=one.name,
        where="" if one.workspace_id == visitor.workspace.id else one.display_name,
        version=words.VERSION.format(version=one.version),
        address=paths.link(paths.webhook(one.webhook_id, *step), one.workspace_id),
    )


def warning_here(view: WebhookView, now: datetime) -> tuple[str, str] | None:
    """Return what a webhook's own page says of its version: a sentence and its kind."""
    if view.status == "draft":
        return words.DRAFT_HERE.format(version=view.version), "plain"
    if view.expires is None:
        return None
    at = at_of(view.expires)
    if view.status == "expired":
        return words.EXPIRED_HERE.format(version=view.version, day=day(at)), "plain"
    if at - now > WARNING:
        return None
    if at <= now:
        ends = day(at + GRACE)
        return words.ENDS_HERE.format(version=view.version, day=day(at), ends=ends), "warn"
    when = f"{moment(view.expires, now).text}, on {day(at)}"
    return words.WARNING_HERE.format(version=view.version, when=when, hours_after=words.HOURS_AFTER), "warn"


def card_of_draft(original: WebhookView, draft: WebhookView, visitor: Visitor) -> DraftCard:
    """Return a draft as it shows under its original."""
    may = visitor.may_change
    before = ""
    if original.expires is not None and original.status != "expired":
        before = words.DRAFT_BEFORE.format(version=original.version, day=day(at_of(original.expires)))
    return DraftCard(
        title=words.DRAFT.format(version=draft.version),
        lead=words.DRAFT_LEAD,
        before=before,
        preview=visitor.link(paths.webhook(original.id, "preview")),
        publish=visitor.link(paths.webhook(draft.id, "publish")) if may else "",
        edit=visitor.link(paths.webhook(draft.id, "edit")) if may else "",
        test=visitor.link(paths.webhook(draft.id, "test")) if may else "",
        discard=visitor.link(paths.webhook(draft.id, "discard")) if may else "",
    )


def card_of_newer(view: WebhookView, newest: int, visitor: Visitor) -> DraftCard:
    """Return the offer to make a draft, with a preview."""
    return DraftCard(
        title=words.PREVIEW_TITLE.format(version=newest),
        lead=words.MAKE_LEAD.format(version=newest),
        preview=visitor.link(paths.webhook(view.id, "preview")),
        make=visitor.link(paths.webhook(view.id, "draft")) if visitor.may_change else "",
        make_label=words.MAKE.format(version=newest),
    )


def card_of_published(view: WebhookView, old: WebhookView, visitor: Visitor) -> DraftCard | None:
    """Return the way back to the version before; none where it has expired or the visitor may not."""
    if (
        not visitor.may_change
        or old.status == "expired"
        or (old.expires is not None and at_of(old.expires) <= visitor.now)
    ):
        return None
    return DraftCard(
        title=words.SWITCH_BACK.format(version=old.version),
        lead=words.SWITCH_BACK_LEAD.format(version=old.version),
        back=visitor.link(paths.webhook(view.id, "switch-back")),
        back_label=words.SWITCH_BACK.format(version=old.version),
    )


def previewed_of(preview: Preview, draft: DraftCard | None) -> Previewed:
    """Return two formats side by side."""
    return Previewed(
        title=words.DRAFT_TITLE.format(old=preview.old_version, new=preview.new_version),
        old=words.OLD.format(version=preview.old_version),
        new=words.NEW.format(version=preview.new_version),
        is_examples=preview.examples,
        pairs=tuple(
            Pair(
                event=event_label(one.type),
                where=one.workspace_id,
                at=second(one.occurred),
                old=pretty(one.old_body),
                new=pretty(one.new_body),
            )
            for one in preview.items
        ),
        draft=draft,
    )
