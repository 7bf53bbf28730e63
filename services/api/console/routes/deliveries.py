"""One delivery: its attempts, and sending it once more."""

import uuid

from fastapi import APIRouter, Response

from services.api.console import paths, places
from services.api.console.routes.moving import at, go
from services.api.console.routes.webhooks import webhooks_layout
from services.api.console.texts import details as words
from services.api.console.views.deliveries import part_of
from services.api.console.views.layout import Notice
from services.api.console.visitor import SentByAdministrator, Viewer, Visitor
from services.api.ids import id_of
from services.api.refusals import NoSuchDelivery, NotFound

router = APIRouter()


@router.get(at(places.DELIVERY))
async def delivery_page(webhook_id: str, hook_id: str, visitor: Viewer, told: str = "", part: str = "") -> Response:
    """Show a delivery with its attempts, or that alone."""
    webhook, hook = _ids(webhook_id, hook_id)
    _, view = await visitor.rooms.webhooks.one(visitor.caller, webhook)
    found = await visitor.rooms.histories.one(visitor.caller, webhook, hook)
    shown = part_of(found, visitor, status=view.status)
    follows = visitor.link(places.delivery(view.id, found.id), part=1) if shown.polls else ""
    if part:
        return visitor.pages.page("delivery_part.html", delivery=shown, follows=follows, csrf=visitor.session.csrf)
    text = words.TOLD.get(told)
    title = words.DELIVERY_TITLE.format(event=shown.row.event)
    return visitor.pages.page(
        "delivery.html",
        layout=webhooks_layout(visitor, title, notice=None if text is None else Notice(text)),
        delivery=shown,
        follows=follows,
        csrf=visitor.session.csrf,
        back=(view.name, visitor.link(paths.webhook(view.id))),
    )


@router.post(at(places.DELIVERY) + "/retry")
async def retry(webhook_id: str, hook_id: str, sent: SentByAdministrator) -> Response:
    """Try a delivery again, at once."""
    visitor = sent.visitor
    webhook, hook = _ids(webhook_id, hook_id)
    await visitor.rooms.retries.retry(visitor.caller, webhook, hook)
    return go(_told(visitor, webhook, hook, "retried"))


@router.post(at(places.DELIVERY) + "/resend")
async def resend(webhook_id: str, hook_id: str, sent: SentByAdministrator) -> Response:
    """Send once more what was delivered."""
    visitor = sent.visitor
    webhook, hook = _ids(webhook_id, hook_id)
    await visitor.rooms.retries.resend(visitor.caller, webhook, hook)
    return go(_told(visitor, webhook, hook, "resent"))


def _ids(webhook_id: str, hook_id: str) -> tuple[uuid.UUID, uuid.UUID]:
    return id_of(webhook_id, NotFound), id_of(hook_id, NoSuchDelivery)


def _told(visitor: Visitor, webhook: uuid.UUID, hook: uuid.UUID, told: str) -> str:
    return visitor.link(places.delivery(str(webhook), str(hook)), told=told)
