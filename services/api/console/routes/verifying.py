"""How to verify a signature, with a delivery of this webhook as the example."""

import uuid
from dataclasses import dataclass

from fastapi import APIRouter, Response

from coro_events.contract.bodies import TEST_DATA, render_body
from coro_events.contract.place import Place
from coro_events.contract.triggers import TEST_TYPE
from services.api.console import paths, places
from services.api.console.routes.moving import at
from services.api.console.routes.webhooks import webhooks_layout
from services.api.console.texts import verify as words
from services.api.console.views.clock import second
from services.api.console.views.samples import Example, samples
from services.api.console.visitor import Viewer, Visitor
from services.api.history.ports import Filters
from services.api.history.schemas import DeliveryDetail
from services.api.ids import id_of
from services.api.refusals import NotFound
from services.api.webhooks.rules import MASK
from services.api.webhooks.schemas import WebhookView

router = APIRouter()

# What is shown seven times on one page.
MAX_BODY_BYTES = 4_000


@dataclass(frozen=True, slots=True)
class Chosen:
    """The delivery that serves as an example; `told` says which one it is."""

    hook_id: str
    timestamp_s: int
    headers: dict[str, str]
    body: str
    told: str


@router.get(at(places.ONE) + "/verify")
async def verify_page(webhook_id: str, visitor: Viewer) -> Response:
    """Show how a signature is verified."""
    webhook, view = await visitor.rooms.webhooks.one(visitor.caller, id_of(webhook_id, NotFound))
    chosen = await _last(visitor, webhook.id) or _made_up(visitor, view)
    signature = MASK
    if visitor.may_change:
        signature = await visitor.rooms.signing.signature(
            visitor.caller,
            webhook.id,
            hook_id=chosen.hook_id,
            timestamp_s=chosen.timestamp_s,
            body=chosen.body.encode(),
        )
    example = Example(chosen.hook_id, chosen.timestamp_s, signature, MASK, chosen.body)
    headers = {**chosen.headers, "webhook-timestamp": str(chosen.timestamp_s), "webhook-signature": signature}
    return visitor.pages.page(
        "verify.html",
        layout=webhooks_layout(visitor, words.TITLE),
        back=(view.name, visitor.link(paths.webhook(view.id))),
        told=chosen.told,
        is_signed=visitor.may_change,
        headers=headers,
        body=chosen.body,
        samples=samples(example),
    )


async def _last(visitor: Visitor, webhook_id: uuid.UUID) -> Chosen | None:
    """Return the last delivery, if it was attempted and is short enough to be shown."""
    found = await visitor.rooms.histories.of_webhook(visitor.caller, webhook_id, Filters(), cursor=None, size=1)
    if not found.items:
        return None
    detail = await visitor.rooms.histories.one(visitor.caller, webhook_id, uuid.UUID(found.items[0].id))
    if not detail.attempted or detail.body is None or len(detail.body.encode()) > MAX_BODY_BYTES:
        return None
    return _chosen(detail, detail.body)


def _chosen(detail: DeliveryDetail, body: str) -> Chosen:
    headers = dict(detail.attempted[-1].headers)
    return Chosen(
        hook_id=detail.id,
        timestamp_s=int(headers["webhook-timestamp"]),
        headers=headers,
        body=body,
        told=words.EXAMPLE_OWN.format(at=f"{second(detail.created)} UTC"),
    )


def _made_up(visitor: Visitor, view: WebhookView) -> Chosen:
    """Return a test as it would be sent now."""
    hook_id = str(uuid.uuid5(uuid.UUID(view.id), TEST_TYPE))
    workspace = visitor.workspace
    body = render_body(
        view.version,
        event_type=TEST_TYPE,
        hook_id=hook_id,
        workspace_id=workspace.id,
        occurred_at=visitor.now,
        data=TEST_DATA,
        place=Place(workspace.display_name, workspace.type, (workspace.id,), None),
    )
    headers = {
        "User-Agent": "Coro-Webhooks/1",
        **dict.fromkeys(view.headers, MASK),
        "Content-Type": "application/json",
        "X-Coro-Hook-Id": hook_id,
        "X-Coro-Hook-Type": TEST_TYPE,
        "X-Coro-Signature": MASK,
        "webhook-id": hook_id,
    }
    return Chosen(hook_id, int(visitor.now.timestamp()), headers, body.decode(), words.EXAMPLE_MADE_UP)
