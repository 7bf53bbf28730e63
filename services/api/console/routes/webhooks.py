"""Connectors > Webhooks: the list, and what its menu does."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from coro_events.contract.triggers import Trigger
from coro_events.rules.webhooks import WebhookState
from services.api.console import paths
from services.api.console.routes.moving import at, go
from services.api.console.routes.sunset import remembered, warning_of
from services.api.console.texts import webhooks as words
from services.api.console.views.layout import Layout, Notice, layout_of
from services.api.console.views.paging import pager
from services.api.console.views.probes import Probe, probe_of
from services.api.console.views.webhooks import Listing, choices, rows_of, trigger_choices
from services.api.console.visitor import Administrator, SentByAdministrator, Viewer, Visitor
from services.api.ids import id_of
from services.api.refusals import NotFound
from services.api.webhooks.ports import Order, Sought
from services.api.webhooks.schemas import WebhookUpdate
from services.api.webhooks.view import milliseconds

router = APIRouter()

# So many that a page of the longest descriptions and URLs stays under 100 KB.
PAGE_SIZE = 12
DEFAULT_ORDER = Order.CREATED_DOWN
_LONGEST_MS = 253_402_300_799_999

PageNumber = Annotated[int, Query(ge=0, le=1_000_000)]
Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list is asked for; what makes no sense is passed over, as addresses are typed and shortened by hand."""

    search: str
    state: WebhookState | None
    trigger: Trigger | None
    order: Order
    page: int

    def address(self, visitor: Visitor, page: int) -> str:
        """Return the address of another page of the same list."""
        return visitor.link(
            paths.WEBHOOKS,
            search=self.search,
            state=self.state or "",
            trigger=self.trigger or "",
            sort="" if self.order is DEFAULT_ORDER else self.order.value,
            page=page or "",
        )


@router.get(at(paths.WEBHOOKS))
async def webhooks_page(
    request: Request,
    visitor: Viewer,
    *,
    search: Text = "",
    state: Text = "",
    trigger: Text = "",
    sort: Text = "",
    page: PageNumber = 0,
    told: Text = "",
    of: Text = "",
    test: Text = "",
    since: Annotated[int, Query(ge=0, le=_LONGEST_MS)] = 0,
) -> Response:
    """Show the webhooks of a workspace."""
    asked = Asked(
        search="".join(filter(str.isprintable, search)).strip(),
        state=next((one for one in WebhookState if one.value == state), None),
        trigger=next((one for one in Trigger if one.value == trigger), None),
        order=next((one for one in Order if one.value == sort), DEFAULT_ORDER),
        page=page,
    )
    probe = await _probe(visitor, of, test, since) if of and test else None
    listing = await _listing(visitor, asked, probe)
    text = words.TOLD.get(told)
    layout = webhooks_layout(visitor, words.TITLE, notice=None if text is None else Notice(text))
    warned = await warning_of(request, visitor)
    return remembered(
        visitor.pages.page("webhooks.html", layout=layout, listing=listing, warned=warned), visitor, warned
    )


def webhooks_layout(visitor: Visitor, title: str, *, notice: Notice | None = None) -> Layout:
    """Return what surrounds every page about webhooks."""
    return layout_of(visitor, title, section="connectors", tab="webhooks", notice=notice)


async def _listing(visitor: Visitor, asked: Asked, probe: Probe | None) -> Listing:
    found = await visitor.rooms.webhooks.page(
        visitor.caller,
        page=asked.page,
        page_size=PAGE_SIZE,
        order=asked.order,
        sought=Sought(search=asked.search or None, state=asked.state, trigger=asked.trigger),
    )
    beats = await visitor.rooms.pulse.of([uuid.UUID(one.id) for one in found.items])
    total = found.totalElements
    return Listing(
        rows=rows_of(found.items, {str(key): beat for key, beat in beats.items()}, visitor, probe=probe),
        told=words.FOUND_ONE if total == 1 else words.FOUND.format(total=f"{total:,}"),
        search=asked.search,
        states=choices(
            {name: label for name, (label, _) in words.STATES.items()}, asked.state or "", none=words.ANY_STATE
        ),
        triggers=trigger_choices(asked.trigger),
        orders=choices(words.ORDERS, asked.order.value),
        is_filtered=bool(asked.search or asked.state or asked.trigger),
        pager=pager(lambda number: asked.address(visitor, number), page=asked.page, page_size=PAGE_SIZE, total=total),
        may_create=visitor.may_change,
        create=visitor.link(paths.NEW_WEBHOOK),
        clear=visitor.link(paths.WEBHOOKS),
    )


@router.get(at(paths.WEBHOOKS) + "/{webhook_id}/tests/{test_id}")
async def test_part(
    webhook_id: str,
    test_id: str,
    visitor: Viewer,
    since: Annotated[int, Query(ge=0, le=_LONGEST_MS)],
) -> Response:
    """Return what became of a test, as a part of the page."""
    await visitor.rooms.webhooks.one(visitor.caller, id_of(webhook_id, NotFound))
    return visitor.pages.page("test_result.html", probe=await _probe(visitor, webhook_id, test_id, since))


async def _probe(visitor: Visitor, webhook_id: str, test_id: str, since: int) -> Probe | None:
    """Return what became of a test; none where the address names none."""
    try:
        webhook, test = uuid.UUID(webhook_id), uuid.UUID(test_id)
    except ValueError:
        return None
    asked_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=since)
    found = await visitor.rooms.testing.result(webhook, test, asked_at)
    return probe_of(found, visitor, webhook_id=str(webhook), test_id=str(test), since=since)


@router.post(at(paths.WEBHOOKS) + "/{webhook_id}/test")
async def ask_for_test(webhook_id: str, sent: SentByAdministrator) -> Response:
    """Send a test; the page that follows shows its result."""
    visitor = sent.visitor
    webhook = id_of(webhook_id, NotFound)
    test_id, asked_at = await visitor.rooms.testing.ask(visitor.caller, webhook)
    return go(tested(visitor, str(webhook), str(test_id), milliseconds(asked_at), told="tested"))


def tested(visitor: Visitor, webhook_id: str, test_id: str, since: int, *, told: str) -> str:
    """Return the address of the list that waits for the result of a test."""
    address = visitor.link(paths.WEBHOOKS, told=told, of=webhook_id, test=test_id, since=since)
    # A new one is the first of the list, below the sentence that tells of it.
    return address if told == "created" else f"{address}#webhook-{webhook_id}"


@router.post(at(paths.WEBHOOKS) + "/{webhook_id}/enable")
async def enable(webhook_id: str, sent: SentByAdministrator) -> Response:
    """Enable a webhook."""
    return await _move(webhook_id, sent.visitor, "enabled")


@router.post(at(paths.WEBHOOKS) + "/{webhook_id}/disable")
async def disable(webhook_id: str, sent: SentByAdministrator) -> Response:
    """Disable a webhook without losing its configuration."""
    return await _move(webhook_id, sent.visitor, "disabled")


async def _move(webhook_id: str, visitor: Visitor, status: str) -> Response:
    webhook, view = await visitor.rooms.webhooks.one(visitor.caller, id_of(webhook_id, NotFound))
    body = WebhookUpdate.model_validate(
        {
            "name": view.name,
            "applyToAllDescendants": view.apply_to_all_descendants,
            "url": view.url,
            "triggers": view.triggers,
            "status": status,
        },
        context=await visitor.rooms.webhooks.rules_of_update(),
    )
    await visitor.rooms.webhooks.update(visitor.caller, webhook.id, body, if_match=None)
    return go(f"{visitor.link(paths.WEBHOOKS, told=status)}#webhook-{webhook.id}")


@router.get(at(paths.WEBHOOKS) + "/{webhook_id}/remove")
async def remove_page(webhook_id: str, visitor: Administrator) -> Response:
    """Ask before a webhook is removed, and say what is lost."""
    _, view = await visitor.rooms.webhooks.one(visitor.caller, id_of(webhook_id, NotFound))
    title = words.REMOVE_TITLE.format(name=view.name)
    return visitor.pages.page(
        "webhook_remove.html",
        layout=webhooks_layout(visitor, title),
        action=visitor.link(paths.webhook(view.id, "remove")),
        cancel=visitor.link(paths.WEBHOOKS),
    )


@router.post(at(paths.WEBHOOKS) + "/{webhook_id}/remove")
async def remove(webhook_id: str, sent: SentByAdministrator) -> Response:
    """Remove a webhook."""
    visitor = sent.visitor
    await visitor.rooms.webhooks.delete(visitor.caller, id_of(webhook_id, NotFound), if_match=None)
    return go(visitor.link(paths.WEBHOOKS, told="removed"))
