"""Later versions: a draft made, compared with its original, published, taken back or discarded."""

import uuid
from dataclasses import replace

from fastapi import APIRouter, Response

from services.api.console import paths, places
from services.api.console.routes.moving import at, go
from services.api.console.routes.webhooks import webhooks_layout
from services.api.console.texts import sunset as words
from services.api.console.views.sunset import DraftCard, card_of_draft, card_of_newer, previewed_of
from services.api.console.visitor import SentByAdministrator, Viewer, Visitor
from services.api.drafts.schemas import Preview
from services.api.ids import id_of
from services.api.refusals import NotFound, WrongState
from services.api.webhooks.view import etag_of

router = APIRouter()


@router.get(at(places.ONE) + "/preview")
async def preview_page(webhook_id: str, visitor: Viewer) -> Response:
    """Show the webhook's last events in both formats, side by side."""
    webhook, view = await visitor.rooms.webhooks.one(visitor.caller, id_of(webhook_id, NotFound))
    back = (view.name, visitor.link(paths.webhook(view.id)))
    try:
        preview = await visitor.rooms.previews.of(visitor.caller, webhook.id)
    except WrongState:
        layout = webhooks_layout(visitor, words.PREVIEW)
        return visitor.pages.page("preview.html", layout=layout, previewed=None, back=back)
    card = await _card(visitor, preview)
    # Here it is.
    previewed = previewed_of(preview, None if card is None else replace(card, preview=""))
    layout = webhooks_layout(visitor, previewed.title)
    return visitor.pages.page("preview.html", layout=layout, previewed=previewed, back=back)


async def _card(visitor: Visitor, preview: Preview) -> DraftCard | None:
    _, original = await visitor.rooms.webhooks.one(visitor.caller, uuid.UUID(preview.webhook_id))
    if preview.draft_id is not None:
        _, draft = await visitor.rooms.webhooks.one(visitor.caller, uuid.UUID(preview.draft_id))
        return card_of_draft(original, draft, visitor)
    if original.replaced_by is not None:
        return None
    return card_of_newer(original, preview.new_version, visitor)


@router.post(at(places.ONE) + "/draft")
async def make_draft(webhook_id: str, sent: SentByAdministrator) -> Response:
    """Make a draft at the newest version."""
    visitor = sent.visitor
    webhook = id_of(webhook_id, NotFound)
    await visitor.rooms.drafts.make(visitor.caller, webhook)
    return go(visitor.link(paths.webhook(str(webhook)), told="drafted"))


@router.post(at(places.ONE) + "/publish")
async def publish(webhook_id: str, sent: SentByAdministrator) -> Response:
    """Let a draft take over."""
    visitor = sent.visitor
    published, _ = await visitor.rooms.drafts.publish(visitor.caller, id_of(webhook_id, NotFound), if_match=None)
    return go(visitor.link(paths.webhook(str(published.id)), told="published"))


@router.post(at(places.ONE) + "/switch-back")
async def switch_back(webhook_id: str, sent: SentByAdministrator) -> Response:
    """Let the version before deliver again."""
    visitor = sent.visitor
    before, _ = await visitor.rooms.drafts.switch_back(visitor.caller, id_of(webhook_id, NotFound), if_match=None)
    return go(visitor.link(paths.webhook(str(before.id)), told="switched-back"))


@router.post(at(places.ONE) + "/discard")
async def discard(webhook_id: str, sent: SentByAdministrator) -> Response:
    """Remove a draft; what is no draft any more stays."""
    visitor = sent.visitor
    draft, view = await visitor.rooms.webhooks.one(visitor.caller, id_of(webhook_id, NotFound))
    if view.draft_of is None:
        raise WrongState("it is no draft any more")
    # It may be published in this very moment: only what was looked at is removed.
    await visitor.rooms.webhooks.delete(visitor.caller, draft.id, if_match=etag_of(draft))
    return go(visitor.link(paths.webhook(view.draft_of), told="discarded"))
