"""What the activity log shows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from services.api.activity.schemas import ActivityPage, ActivityView
from services.api.console import paths, places
from services.api.console.reading import printable, read_minute, write_minute
from services.api.console.texts import activity as words
from services.api.console.views.clock import iso, second
from services.api.console.views.webhooks import Choice, choices
from services.api.console.visitor import Visitor

# As much of a detail as a list has room for; the file has the rest.
MAX_DETAIL_CHARACTERS = 300
_NOUNS_OF_WEBHOOKS = frozenset({"webhook", "delivery"})
# After these there is no page to go to.
_GONE = frozenset({"webhook.deleted"})


@dataclass(frozen=True, slots=True)
class SearchTyped:
    """What is searched for; what makes no sense is passed over."""

    action: str
    actor: str
    subject: str
    since: datetime | None
    until: datetime | None
    with_children: bool

    @classmethod
    def of_query(cls, *, action: str, actor: str, subject: str, since: str, until: str, children: str) -> "SearchTyped":
        """Return what an address says."""
        return cls(
            action=action if action in words.ACTIONS else "",
            actor=printable(actor),
            subject=printable(subject),
            since=read_minute(since),
            until=read_minute(until),
            with_children=bool(children),
        )

    @property
    def query(self) -> Mapping[str, str]:
        """As addresses carry it."""
        return {
            "action": self.action,
            "actor": self.actor,
            "subject": self.subject,
            "from": write_minute(self.since),
            "until": write_minute(self.until),
            "children": "on" if self.with_children else "",
        }


class Detail(NamedTuple):
    """One more thing about what happened."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of the log; `address` is that of the webhook it is about, if it is still there."""

    at: str
    iso: str
    who: str
    kind: str
    what: str
    workspace: str
    is_elsewhere: bool
    name: str
    address: str
    details: tuple[Detail, ...]


@dataclass(frozen=True, slots=True)
class ActivityPart:
    """The page."""

    rows: tuple[LineRow, ...]
    typed: SearchTyped
    query: Mapping[str, str]
    actions: tuple[Choice, ...]
    is_narrow: bool
    csv: str
    clear: str
    older: str
    newest: str


def activity_of(page: ActivityPage, typed: SearchTyped, visitor: Visitor, *, is_first: bool) -> ActivityPart:
    """Return what the page shows."""
    query = typed.query
    older = ""
    if page.next_cursor is not None:
        older = visitor.link(places.ACTIVITY, **query, cursor=page.next_cursor)
    return ActivityPart(
        rows=tuple(_row(line, visitor) for line in page.items),
        typed=typed,
        query=query,
        actions=choices(words.ACTIONS, typed.action, none=words.ANY),
        is_narrow=any(query.values()),
        csv=visitor.link(places.ACTIVITY_CSV, **query),
        clear=visitor.link(places.ACTIVITY),
        older=older,
        newest="" if is_first else visitor.link(places.ACTIVITY, **query),
    )


def _row(line: ActivityView, visitor: Visitor) -> LineRow:
    kind, _, who = line.actor.partition(":")
    noun = line.action.partition(".")[0]
    detail = dict(line.detail)
    name = str(detail.pop("name", ""))
    address = ""
    if noun in _NOUNS_OF_WEBHOOKS and line.action not in _GONE:
        address = paths.link(paths.webhook(line.subject), line.workspace_id)
    return LineRow(
        at=second(line.at),
        iso=iso(line.at),
        who=who or line.actor,
        kind=words.KINDS.get(kind, kind),
        what=words.ACTIONS.get(line.action, line.action),
        workspace=line.workspace_id,
        is_elsewhere=line.workspace_id != visitor.workspace.id,
        # Of a person, the actor says it already.
        name=name or ("" if noun == "user" else line.subject),
        address=address,
        details=tuple(Detail(key, _value(value)) for key, value in detail.items() if value not in (None, "")),
    )


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_DETAIL_CHARACTERS else f"{text[:MAX_DETAIL_CHARACTERS]} …"
