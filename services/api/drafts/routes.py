"""Drafts: made, previewed, tried out, published, and taken back."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from services.api.access.guard import CallerHere
from services.api.bodies import documented_body, read_body
from services.api.drafts.schemas import Preview, Shadow
from services.api.idempotency.ports import KeptAnswer
from services.api.idempotency.replies import IdempotencyKey, given_again
from services.api.ids import id_of
from services.api.problems import documented
from services.api.refusals import NotFound
from services.api.revisions import IfMatch
from services.api.rooms import RoomsHere
from services.api.webhooks.ports import Webhook
from services.api.webhooks.schemas import WebhookView
from services.api.webhooks.view import etag_of

PREFIX = "/v1/settings/webhooks"

router = APIRouter(prefix=PREFIX + "/{webhook_id}", tags=["versions"])


class _Nothing(BaseModel):
    """The body of a request that has none."""


@router.post(
    "/draft",
    status_code=201,
    response_model=WebhookView,
    operation_id="createDraft",
    summary="Make a draft of a webhook at the newest version",
    responses=documented(400, 401, 403, 404, 409, 500, 503),
)
async def create_draft(
    *,
    webhook_id: str,
    response: Response,
    caller: CallerHere,
    rooms: RoomsHere,
    idempotency_key: IdempotencyKey = None,
) -> WebhookView | Response:
    """Copy a webhook to the newest released version; the draft delivers nothing until it is published.

    It has the name, URL, secret, headers and triggers of its original. It is read, changed, tested and removed like any
    other webhook, by its own id. A month before a version expires, each webhook of it that has no draft gets one.
    """
    webhook = id_of(webhook_id, NotFound)
    operation = f"createDraft {webhook}"
    async with rooms.idempotency.once(caller, idempotency_key, operation=operation, body=_Nothing()) as once:
        if once.answer is not None:
            return given_again(once.answer)

        def keep(draft: Webhook, view: WebhookView) -> KeptAnswer:
            return once.keep(201, _headers(draft), view)

        draft, view = await rooms.drafts.make(caller, webhook, keep=keep if once.is_kept else None)
    response.headers.update(_headers(draft))
    return view


@router.get(
    "/draft",
    operation_id="getDraft",
    summary="Read the draft of a webhook",
    responses=documented(400, 401, 403, 404, 500, 503),
)
async def get_draft(webhook_id: str, response: Response, caller: CallerHere, rooms: RoomsHere) -> WebhookView:
    """Return the draft of a webhook; it is changed, tested and removed by its own id."""
    draft, view = await rooms.drafts.one(caller, id_of(webhook_id, NotFound))
    response.headers["ETag"] = etag_of(draft)
    return view


@router.post(
    "/publish",
    operation_id="publishDraft",
    summary="Publish a draft",
    responses=documented(400, 401, 403, 404, 409, 412, 500, 503),
)
async def publish_draft(
    webhook_id: str, response: Response, caller: CallerHere, rooms: RoomsHere, if_match: IfMatch = None
) -> WebhookView:
    """Let a draft take over, by its own id; its original is disabled in the same step.

    Every event goes to one of the two: what was planned before still goes out in the old format, what comes after goes
    out in the new one. The draft of a disabled webhook becomes a disabled webhook, for the same reason.
    """
    published, view = await rooms.drafts.publish(caller, id_of(webhook_id, NotFound), if_match=if_match)
    response.headers["ETag"] = etag_of(published)
    return view


@router.post(
    "/switch-back",
    operation_id="switchBack",
    summary="Switch back to the webhook that a draft replaced",
    responses=documented(400, 401, 403, 404, 409, 412, 500, 503),
)
async def switch_back(
    webhook_id: str, response: Response, caller: CallerHere, rooms: RoomsHere, if_match: IfMatch = None
) -> WebhookView:
    """Make a published draft a draft again, by its own id, and return the webhook before, which is enabled again.

    That can be done until the old version expires.
    """
    before, view = await rooms.drafts.switch_back(caller, id_of(webhook_id, NotFound), if_match=if_match)
    response.headers["ETag"] = etag_of(before)
    return view


@router.get(
    "/preview",
    operation_id="previewVersion",
    summary="See a webhook's last events in the next version",
    responses=documented(400, 401, 403, 404, 409, 500, 503),
)
async def preview_version(webhook_id: str, caller: CallerHere, rooms: RoomsHere) -> Preview:
    """Return up to ten of the webhook's own last events in its version and in that of its draft; nothing is sent.

    Where there is no draft it is the newest released version; where there were no events, examples are shown.
    """
    return await rooms.previews.of(caller, id_of(webhook_id, NotFound))


@router.put(
    "/shadow",
    operation_id="setShadow",
    summary="Try a draft out at a second URL",
    responses=documented(400, 401, 403, 404, 409, 412, 413, 415, 500, 503),
    openapi_extra=documented_body(Shadow),
)
async def set_shadow(
    *,
    webhook_id: str,
    request: Request,
    response: Response,
    caller: CallerHere,
    rooms: RoomsHere,
    if_match: IfMatch = None,
) -> WebhookView:
    """Also send every event that the draft wants, in its format, to a second URL; the original stays in charge.

    Each gets one attempt, is shown in the draft's history with the kind `shadow`, and never disables anything.
    """
    draft_id = id_of(webhook_id, NotFound)
    body = await read_body(request, Shadow, context=await rooms.webhooks.rules_of_update())
    draft, view = await rooms.drafts.set_shadow(caller, draft_id, body.url, if_match=if_match)
    response.headers["ETag"] = etag_of(draft)
    return view


@router.delete(
    "/shadow",
    operation_id="endShadow",
    summary="End trying a draft out",
    responses=documented(400, 401, 403, 404, 409, 412, 500, 503),
)
async def end_shadow(
    webhook_id: str, response: Response, caller: CallerHere, rooms: RoomsHere, if_match: IfMatch = None
) -> WebhookView:
    """Send nothing to the second URL of a draft any more; without one, nothing changes."""
    draft, view = await rooms.drafts.set_shadow(caller, id_of(webhook_id, NotFound), None, if_match=if_match)
    response.headers["ETag"] = etag_of(draft)
    return view


def _headers(draft: Webhook) -> dict[str, str]:
    return {"ETag": etag_of(draft), "Location": f"{PREFIX}/{draft.id}"}
