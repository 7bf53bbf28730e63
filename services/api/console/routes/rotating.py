"""A new secret for a webhook, shown once."""

from fastapi import APIRouter, Response

from services.api.console import paths, places
from services.api.console.reading import read_model
from services.api.console.routes.moving import at
from services.api.console.routes.webhooks import webhooks_layout
from services.api.console.texts import details as words
from services.api.console.views.clock import minute
from services.api.console.views.webhooks import choices, sentence
from services.api.console.visitor import Administrator, SentByAdministrator, Visitor
from services.api.ids import id_of
from services.api.refusals import EditConflict, InvalidInput, NotFound
from services.api.webhooks.ports import Webhook
from services.api.webhooks.schemas import SecretRotation
from services.api.webhooks.view import etag_of

router = APIRouter()

DEFAULT_OVERLAP_HOURS = 24


@router.get(at(places.ONE) + "/rotate")
async def rotate_page(webhook_id: str, visitor: Administrator) -> Response:
    """Show the form."""
    webhook, _ = await visitor.rooms.webhooks.one(visitor.caller, id_of(webhook_id, NotFound))
    return _form(visitor, webhook, overlap=str(DEFAULT_OVERLAP_HOURS))


@router.post(at(places.ONE) + "/rotate")
async def rotate(webhook_id: str, sent: SentByAdministrator) -> Response:
    """Rotate, and show the new secret: no redirect follows, as no other page could show it."""
    visitor, form = sent.visitor, sent.form
    webhook, view = await visitor.rooms.webhooks.one(visitor.caller, id_of(webhook_id, NotFound))
    overlap, own = form.text("overlap"), form.text("secret")
    try:
        hours = int(overlap) if overlap.isascii() and overlap.isdecimal() else DEFAULT_OVERLAP_HOURS
        body = read_model(SecretRotation, {"overlapHours": hours, **({"secret": own} if own else {})})
        # The revision keeps a form that is sent twice from rotating twice.
        _, rotated = await visitor.rooms.rotating.rotate(
            visitor.caller, webhook.id, body, if_match=form.text("revision") or "*"
        )
    except InvalidInput as error:
        faults = {fault.field: sentence(fault.message) for fault in error.faults}
        return _form(visitor, webhook, overlap=overlap, own=own, faults=faults, status=400)
    except EditConflict:
        return _form(visitor, webhook, overlap=overlap, other=words.ROTATED_ALREADY, status=409)
    until = rotated.previous_secret_expires
    return visitor.pages.page(
        "rotated.html",
        layout=webhooks_layout(visitor, words.ROTATED_TITLE),
        secret=rotated.secret,
        overlap=words.ROTATED_ONLY if until is None else words.ROTATED_OVERLAP.format(until=f"{minute(until)} UTC"),
        done=visitor.link(paths.webhook(view.id)),
        verify=visitor.link(paths.webhook(view.id, "verify")),
    )


def _form(
    visitor: Visitor,
    webhook: Webhook,
    *,
    overlap: str,
    own: str = "",
    faults: dict[str, str] | None = None,
    other: str = "",
    status: int = 200,
) -> Response:
    webhook_id = str(webhook.id)
    return visitor.pages.page(
        "rotate.html",
        status=status,
        layout=webhooks_layout(visitor, words.ROTATE_TITLE.format(name=webhook.name)),
        action=visitor.link(paths.webhook(webhook_id, "rotate")),
        back=(webhook.name, visitor.link(paths.webhook(webhook_id))),
        revision=etag_of(webhook),
        overlaps=choices({str(hours): label for hours, label in words.OVERLAPS.items()}, overlap),
        own=own,
        faults=faults or {},
        other=other,
    )
