"""Replay of what a webhook missed, and retry of one delivery by hand."""

import uuid

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from services.api.access.guard import CallerHere
from services.api.bodies import documented_body, read_body
from services.api.deliveries.schemas import ReplayCounts, ReplayRequest, ReplayView, RetriedDelivery
from services.api.idempotency.ports import KeptAnswer
from services.api.idempotency.replies import IdempotencyKey, given_again
from services.api.ids import id_of
from services.api.paging import DEFAULT_PAGE_SIZE, Page, PageNumber, PageSize
from services.api.problems import documented
from services.api.refusals import NoSuchDelivery, NoSuchReplay, NotFound
from services.api.rooms import RoomsHere

PREFIX = "/v1/settings/webhooks"

router = APIRouter(prefix=PREFIX + "/{webhook_id}", tags=["deliveries"])


@router.post(
    "/replays",
    status_code=202,
    response_model=ReplayView,
    operation_id="createReplay",
    summary="Send again what a webhook missed",
    responses={
        200: {"model": ReplayCounts, "description": "What a replay would take; a dry run only."},
        **documented(400, 401, 403, 404, 409, 413, 415, 500, 503),
    },
    openapi_extra=documented_body(ReplayRequest),
)
async def create_replay(
    *,
    webhook_id: str,
    request: Request,
    response: Response,
    caller: CallerHere,
    rooms: RoomsHere,
    idempotency_key: IdempotencyKey = None,
) -> ReplayView | Response:
    """Replay events since a time, or count them; each event reaches the webhook once, however often this is asked."""
    webhook = id_of(webhook_id, NotFound)
    body = await read_body(request, ReplayRequest)
    if body.dry_run:
        counts = await rooms.replays.count(caller, webhook, body)
        return JSONResponse(counts.model_dump(by_alias=True))
    async with rooms.idempotency.once(caller, idempotency_key, operation=f"createReplay {webhook}", body=body) as once:
        if once.answer is not None:
            return given_again(once.answer)

        def keep(view: ReplayView) -> KeptAnswer:
            return once.keep(202, {"Location": _location(webhook, view)}, view)

        view = await rooms.replays.request(caller, webhook, body, keep=keep if once.is_kept else None)
    response.headers["Location"] = _location(webhook, view)
    return view


@router.get(
    "/replays",
    operation_id="listReplays",
    summary="List the replays of a webhook",
    responses=documented(400, 401, 403, 404, 500, 503),
)
async def list_replays(
    webhook_id: str,
    caller: CallerHere,
    rooms: RoomsHere,
    page: PageNumber = 0,
    page_size: PageSize = DEFAULT_PAGE_SIZE,
) -> Page[ReplayView]:
    """Return one page of the webhook's replays, newest first."""
    return await rooms.replays.page(caller, id_of(webhook_id, NotFound), page=page, page_size=page_size)


@router.get(
    "/replays/{replay_id}",
    operation_id="getReplay",
    summary="Read how far a replay has come",
    responses=documented(400, 401, 403, 404, 500, 503),
)
async def get_replay(webhook_id: str, replay_id: str, caller: CallerHere, rooms: RoomsHere) -> ReplayView:
    """Return a replay."""
    return await rooms.replays.one(caller, id_of(webhook_id, NotFound), id_of(replay_id, NoSuchReplay))


@router.delete(
    "/replays/{replay_id}",
    operation_id="cancelReplay",
    summary="Cancel a running replay",
    responses=documented(400, 401, 403, 404, 409, 500, 503),
)
async def cancel_replay(webhook_id: str, replay_id: str, caller: CallerHere, rooms: RoomsHere) -> ReplayView:
    """Cancel a replay and return it; what it has taken so far is sent all the same."""
    return await rooms.replays.cancel(caller, id_of(webhook_id, NotFound), id_of(replay_id, NoSuchReplay))


@router.post(
    "/deliveries/{hook_id}/retry",
    status_code=202,
    operation_id="retryDelivery",
    summary="Try one delivery again",
    responses=documented(400, 401, 403, 404, 409, 500, 503),
)
async def retry_delivery(webhook_id: str, hook_id: str, caller: CallerHere, rooms: RoomsHere) -> RetriedDelivery:
    """Make a delivery due now; what had failed or was held gets one attempt, which never disables the webhook."""
    return await rooms.retries.retry(caller, id_of(webhook_id, NotFound), id_of(hook_id, NoSuchDelivery))


@router.post(
    "/deliveries/{hook_id}/resend",
    status_code=202,
    operation_id="resendDelivery",
    summary="Send once more what was delivered",
    responses=documented(400, 401, 403, 404, 409, 500, 503),
)
async def resend_delivery(webhook_id: str, hook_id: str, caller: CallerHere, rooms: RoomsHere) -> RetriedDelivery:
    """Make a delivered delivery due now, with the same hook id; its one attempt never disables the webhook."""
    return await rooms.retries.resend(caller, id_of(webhook_id, NotFound), id_of(hook_id, NoSuchDelivery))


def _location(webhook_id: uuid.UUID, view: ReplayView) -> str:
    return f"{PREFIX}/{webhook_id}/replays/{view.id}"
