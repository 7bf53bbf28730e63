"""What the page of one webhook shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from coro_events.contract.triggers import Trigger
from coro_events.rules.deliveries import DeliveryState
from services.api.console import paths
from services.api.console.reading import write_minute
from services.api.console.texts import details as words
from services.api.console.texts import sunset
from services.api.console.texts import webhooks as webhook_words
from services.api.console.views.clock import minute
from services.api.console.views.deliveries import DeliveryRow, row_of
from services.api.console.views.plots import Figures
from services.api.console.views.replays import ReplayPart
from services.api.console.views.sunset import DraftCard
from services.api.console.views.webhooks import Choice, Row, choices
from services.api.console.visitor import Visitor
from services.api.history.ports import Filters
from services.api.history.schemas import History
from services.api.webhooks.schemas import WebhookView


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries are asked for; what makes no sense is passed over."""

    state: DeliveryState | None
    trigger: Trigger | None
    workspace_id: str
    since: datetime | None
    until: datetime | None

    @property
    def is_narrow(self) -> bool:
        """Whether anything is asked for but all."""
        return any(self.query.values())

    @property
    def query(self) -> Mapping[str, str]:
        """As addresses carry it."""
        return {
            "state": self.state or "",
            "type": self.trigger or "",
            "child": self.workspace_id,
            "from": write_minute(self.since),
            "until": write_minute(self.until),
        }

    @property
    def filters(self) -> Filters:
        """As the history takes it; a time until before the one from asks for nothing."""
        return Filters(
            states=frozenset([self.state] if self.state else ()),
            types=frozenset([self.trigger.value] if self.trigger else ()),
            workspace_id=self.workspace_id or None,
            since=self.since,
            until=self.until if self.since is None or self.until is None or self.until > self.since else None,
        )


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The list of deliveries.

    Attributes:
        live: Where changes are told; empty on older pages.
        goes_on: Whether the page is empty although the search has not come to its end.
    """

    rows: tuple[DeliveryRow, ...]
    states: tuple[Choice, ...]
    triggers: tuple[Choice, ...]
    workspace_id: str
    since: str
    until: str
    is_narrow: bool
    action: str
    clear: str
    refresh: str
    older: str
    newest: str
    live: str
    goes_on: bool
    with_workspaces: bool


@dataclass(frozen=True, slots=True)
class Tools:
    """Where one can go from the details; empty where the visitor may not."""

    verify: str
    explain: str
    replay: str
    rotate: str


@dataclass(frozen=True, slots=True)
class Details:
    """The page."""

    row: Row
    tools: Tools
    warning: tuple[str, str] | None
    figures: Figures
    spans: tuple[Choice, ...]
    span_action: str
    previous_secret: str
    shadow_url: str
    other: tuple[str, str] | None
    draft: DraftCard | None
    replay: ReplayPart | None
    deliveries: Deliveries


def deliveries_of(
    history: History, wanted: Wanted, visitor: Visitor, view: WebhookView, *, is_first: bool
) -> Deliveries:
    """Return the list of deliveries."""
    here = paths.webhook(view.id)
    query = wanted.query
    older = ""
    if history.next_cursor is not None:
        older = visitor.link(here, **query, cursor=history.next_cursor) + "#deliveries"
    newest = visitor.link(here, **query)
    states = {name: label for name, (label, _) in webhook_words.DELIVERY_STATES.items()}
    return Deliveries(
        rows=tuple(row_of(one, visitor) for one in history.items),
        states=choices(states, wanted.state or "", none=words.ANY_STATE),
        triggers=choices({one.value: one.label for one in Trigger}, wanted.trigger or "", none=words.ANY_EVENT),
        workspace_id=wanted.workspace_id,
        since=query["from"],
        until=query["until"],
        is_narrow=wanted.is_narrow,
        action=here,
        clear=visitor.link(here) + "#deliveries",
        refresh=newest + "#deliveries",
        older=older,
        newest="" if is_first else newest + "#deliveries",
        live=visitor.link(f"{here}/live", **query) if is_first else "",
        goes_on=not history.items and history.next_cursor is not None,
        with_workspaces=view.apply_to_all_descendants or view.status == "draft",
    )


def tools_of(view: WebhookView, visitor: Visitor) -> Tools:
    """Return where one can go."""
    is_alive = view.status not in {"draft", "expired"}

    def link(step: str) -> str:
        return visitor.link(paths.webhook(view.id, step))

    return Tools(
        verify=link("verify"),
        explain=link("explain"),
        replay=link("replay") if visitor.may_change and is_alive else "",
        rotate=link("rotate") if visitor.may_change and view.status != "expired" else "",
    )


def other_of(view: WebhookView, visitor: Visitor) -> tuple[str, str] | None:
    """Return the webhook that this one belongs to: words and address."""
    if view.replaced_by is not None:
        return words.REPLACED_LINK, visitor.link(paths.webhook(view.replaced_by))
    if view.draft_of is not None:
        return sunset.ORIGINAL, visitor.link(paths.webhook(view.draft_of))
    return None


def previous_secret_of(view: WebhookView) -> str:
    """Return until when the secret before signs too, in words."""
    if view.previous_secret_expires is None:
        return ""
    return words.PREVIOUS_SECRET.format(until=f"{minute(view.previous_secret_expires)} UTC")
