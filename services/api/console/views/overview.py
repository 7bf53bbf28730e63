"""What the overview of the tree shows."""

from dataclasses import dataclass
from typing import NamedTuple

from services.api.attention.ports import Ailing, Standing
from services.api.attention.service import Overview
from services.api.console import paths, places
from services.api.console.texts import overview as words
from services.api.console.views.paging import Pager, pager
from services.api.console.views.webhooks import sentence
from services.api.console.visitor import Visitor


class AilingPart(NamedTuple):
    """A webhook that needs somebody."""

    name: str
    address: str
    told: str
    tone: str


@dataclass(frozen=True, slots=True)
class Branch:
    """A workspace.

    Attributes:
        above: The names of the workspaces between the top and it.
        more: How many webhooks in need are not named, in words.
    """

    name: str
    above: str
    id: str
    address: str
    open_label: str
    told: str
    failing: int
    disabled: int
    expired: int
    ailing: tuple[AilingPart, ...]
    more: str


class Total(NamedTuple):
    """A number above the list."""

    label: str
    number: str
    tone: str


@dataclass(frozen=True, slots=True)
class OverviewPart:
    """The page."""

    totals: tuple[Total, ...]
    branches: tuple[Branch, ...]
    choices: tuple[tuple[str, str, bool], ...]
    has_webhooks: bool
    pager: Pager


def overview_of(found: Overview, visitor: Visitor, *, ailing_only: bool, page: int, page_size: int) -> OverviewPart:
    """Return what the page shows."""
    totals = found.totals

    def address(number: int) -> str:
        return visitor.link(places.OVERVIEW, show="" if ailing_only else "all", page=number or "")

    return OverviewPart(
        totals=(
            Total(words.WEBHOOKS, f"{totals.webhooks:,}", ""),
            Total(words.WORKSPACES, f"{totals.workspaces:,}", ""),
            Total(words.FAILING, f"{totals.failing:,}", "bad" if totals.failing else ""),
            Total(words.DISABLED, f"{totals.disabled:,}", "warn" if totals.disabled else ""),
            Total(words.EXPIRED, f"{totals.expired:,}", ""),
        ),
        branches=tuple(_branch(one) for one in found.items),
        choices=(
            (words.IN_NEED, visitor.link(places.OVERVIEW), ailing_only),
            (words.ALL, visitor.link(places.OVERVIEW, show="all"), not ailing_only),
        ),
        has_webhooks=totals.webhooks > 0,
        pager=pager(address, page=page, page_size=page_size, total=found.found),
    )


def _branch(one: Standing) -> Branch:
    more = one.failing + one.disabled - len(one.ailing)
    return Branch(
        name=one.display_name,
        above=" / ".join(one.path[:-1]),
        id=one.workspace_id,
        address=paths.link(paths.WEBHOOKS, one.workspace_id),
        open_label=words.OPEN.format(name=one.display_name),
        told=words.ONE_WEBHOOK if one.webhooks == 1 else words.MANY_WEBHOOKS.format(count=f"{one.webhooks:,}"),
        failing=one.failing,
        disabled=one.disabled,
        expired=one.expired,
        ailing=tuple(_ailing(webhook, one.workspace_id) for webhook in one.ailing),
        more=words.MORE.format(count=f"{more:,}") if more > 0 else "",
    )


def _ailing(webhook: Ailing, workspace_id: str) -> AilingPart:
    address = paths.link(paths.webhook(webhook.id), workspace_id)
    if webhook.is_failing:
        return AilingPart(webhook.name, address, words.RETRIES, "bad")
    return AilingPart(webhook.name, address, sentence(webhook.reason or words.BY_HAND), "warn")
