"""What each kind of mail says, before it is plain text or HTML: all of its sentences are here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from coro_events.rules.sunset import GRACE, Notice, Sunset, span_of
from coro_events.store.mailing import Listed, Listing, MailKind, OpenMail

_PAGE = "/portal/settings/connectors/webhooks"


@dataclass(frozen=True, slots=True)
class Item:
    """A webhook in a list.

    Attributes:
        note: What is to be said of this one alone; empty for nothing.
        link: Where the console shows it; empty where no console is known.
    """

    name: str
    host: str
    note: str
    link: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail in its parts, in the order in which they are read.

    Attributes:
        groups: Webhooks by the name of their workspace.
        others: How many webhooks there are beside the listed ones.
        steps: What is going to happen, or what is to be done.
        link: The console's page; empty where none is known.
    """

    subject: str
    opening: Sequence[str]
    groups: Sequence[tuple[str, Sequence[Item]]]
    others: int
    heading: str
    steps: Sequence[str]
    link: str
    closing: str
    title: str = field(default="")


def draft(mail: OpenMail, listing: Listing, *, newest: int, console_url: str | None) -> Draft:
    """Return what a mail says.

    Args:
        mail: Which one.
        listing: Its webhooks, at least one.
        newest: The newest released version.
        console_url: Where the console is, without a path.
    """
    count = f"{listing.total} {'webhook' if listing.total == 1 else 'webhooks'}"
    title, opening, heading, steps = _SAYS[mail.kind](mail, listing, count, newest)
    link = _page(console_url, mail.workspace_id)
    return Draft(
        subject=f"{title} ({mail.workspace})",
        title=title,
        opening=opening,
        groups=_groups(mail, listing.webhooks, console_url),
        others=listing.total - len(listing.webhooks),
        heading=heading,
        steps=steps,
        link=link,
        closing=f"You get this mail because you are an administrator of {mail.workspace}. All times are UTC.",
    )


Said = tuple[str, list[str], str, list[str]]


def _first(mail: OpenMail, listing: Listing, count: str, newest: int) -> Said:
    expires_at = _expiry(listing)
    life = Sunset(began_at=expires_at, expires_at=expires_at)
    return (
        f"Webhook version {mail.version} expires on {_day(expires_at)}",
        [
            (
                f"Version {newest} of Coro's webhooks has been released. With that, version {mail.version} expires on"
                f" {_moment(expires_at)}."
            ),
            (
                f"{count} {_where(mail, listing)} still {_verb(listing, 'use')} version"
                f" {mail.version}. Nothing changes for them today."
            ),
        ],
        "What happens when",
        [
            f"Until {_day(expires_at)} they deliver as before.",
            (
                f"On {_day(span_of(Notice.REMINDER, life).start)} you get a reminder, and a draft of each at the newest"
                " version is made for you. You can compare both formats side by side and publish the draft when"
                " your receiver understands the new one."
            ),
            f"On {_moment(expires_at + GRACE)} those that still use version {mail.version} stop delivering.",
        ],
    )


def _reminder(mail: OpenMail, listing: Listing, count: str, newest: int) -> Said:
    expires_at = _expiry(listing)
    drafts = "A draft" if listing.total == 1 else "A draft of each"
    return (
        f"Reminder: webhook version {mail.version} expires on {_day(expires_at)}",
        [
            f"Version {mail.version} of Coro's webhooks expires on {_moment(expires_at)}.",
            (
                f"{count} {_where(mail, listing)} still {_verb(listing, 'use')} it. {drafts} at version {newest} has"
                " been made: the same name, URL, secret, headers and triggers. A draft delivers nothing until you"
                " publish it."
            ),
        ],
        "What to do",
        [
            "Open the draft in the console and compare your own last events in both formats.",
            "Make your receiver understand the new format.",
            (
                "Publish the draft. It takes over in one step: no event is lost, and none is sent twice. Until the old"
                " version expires you can switch back."
            ),
            f"On {_moment(expires_at + GRACE)} those that still use version {mail.version} stop delivering.",
        ],
    )


def _expired(mail: OpenMail, listing: Listing, count: str, newest: int) -> Said:
    expires_at = _expiry(listing)
    return (
        f"Webhook version {mail.version} has expired: {count} stopped",
        [
            f"Version {mail.version} of Coro's webhooks expired on {_moment(expires_at)}.",
            (
                f"{count} {_where(mail, listing)} still used it and {_verb(listing, 'deliver')}"
                f" nothing any more. What {_they(listing)} sent before can still be read."
            ),
        ],
        "What to do",
        [
            f"Where there is a draft at a newer version, publish it; else make a new webhook at version {newest}.",
            "Have what was missed sent by a replay.",
        ],
    )


def _disabled(mail: OpenMail, listing: Listing, count: str, newest: int) -> Said:
    del newest
    return (
        f"{count} disabled after failed deliveries",
        [
            (
                f"{count} {_where(mail, listing)} {_verb(listing, 'be')} disabled, because"
                " deliveries failed for good. No events are sent there until somebody enables"
                f" {'it' if listing.total == 1 else 'them'} again."
            ),
        ],
        "What to do",
        [
            "Look at the last deliveries in the console and mend the receiver.",
            "Enable the webhook, and test it.",
            "Have what was missed sent by a replay; nothing of the last days is lost.",
        ],
    )


_SAYS = {
    MailKind.FIRST: _first,
    MailKind.REMINDER: _reminder,
    MailKind.EXPIRED: _expired,
    MailKind.DISABLED: _disabled,
}


def _groups(mail: OpenMail, webhooks: Sequence[Listed], console_url: str | None) -> list[tuple[str, list[Item]]]:
    groups: dict[str, list[Item]] = {}
    for webhook in webhooks:
        item = Item(
            name=_line(webhook.name),
            host=urlsplit(webhook.url).hostname or "",
            note=_note(mail.kind, webhook),
            link=_page(console_url, webhook.workspace_id, f"#webhook-{webhook.id}"),
        )
        groups.setdefault(_line(webhook.workspace), []).append(item)
    return list(groups.items())


def _page(console_url: str | None, workspace_id: str, place: str = "") -> str:
    """Return where the console shows the webhooks of a workspace; empty where no console is known."""
    return f"{console_url}{_PAGE}?{urlencode({'workspace': workspace_id})}{place}" if console_url else ""


def _note(kind: MailKind, webhook: Listed) -> str:
    if kind is MailKind.DISABLED:
        return _line(webhook.disabled_reason or "")
    if kind is MailKind.EXPIRED:
        return "no draft" if webhook.draft_version is None else f"has a draft at version {webhook.draft_version}"
    if kind is MailKind.REMINDER and webhook.draft_version is None:
        return "has no draft"
    return ""


def _expiry(listing: Listing) -> datetime:
    """Return when the version of the webhooks expires; a mail about a sunset lists webhooks of one version."""
    expires_at = listing.webhooks[0].expires_at
    if expires_at is None:
        raise ValueError("a version without an expiry has no sunset to tell of")
    return expires_at


def _verb(listing: Listing, verb: str) -> str:
    if verb == "be":
        return "is" if listing.total == 1 else "are"
    return f"{verb}s" if listing.total == 1 else verb


def _where(mail: OpenMail, listing: Listing) -> str:
    is_here_only = all(webhook.workspace == mail.workspace for webhook in listing.webhooks)
    return f"in {mail.workspace}" if is_here_only else f"in {mail.workspace} and the workspaces below it"


def _they(listing: Listing) -> str:
    return "it" if listing.total == 1 else "they"


def _day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"


def _moment(at: datetime) -> str:
    return f"{_day(at)}, {at:%H:%M} UTC"


def _line(text: str) -> str:
    """Return a text of somebody else's without its line breaks."""
    return " ".join(text.split())
