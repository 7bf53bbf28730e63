"""The published operations on webhook configurations."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.api.access.guard import CallerHere, needs
from services.api.access.roles import Role
from services.api.bodies import documented_body, read_body
from services.api.idempotency.ports import KeptAnswer
from services.api.idempotency.replies import IdempotencyKey, given_again
from services.api.idempotency.service import Once
from services.api.ids import id_of
from services.api.paging import DEFAULT_PAGE_SIZE, Page, PageNumber, PageSize
from services.api.problems import documented
from services.api.refusals import NotFound
from services.api.revisions import IfMatch
from services.api.rooms import RoomsHere
from services.api.webhooks.ports import Order, Webhook
from services.api.webhooks.schemas import (
    CreatedWebhook,
    SecretRotation,
    TestView,
    WebhookCreate,
    WebhookDetails,
    WebhookUpdate,
    WebhookView,
)
from services.api.webhooks.view import etag_of, view_of_test

router = APIRouter(prefix="/v1/settings/webhooks", tags=["webhooks"])


@router.post(
    "",
    status_code=201,
    response_model=CreatedWebhook,
    operation_id="createWebhook",
    summary="Create a webhook",
    responses=documented(400, 401, 403, 409, 413, 415, 500, 503),
    openapi_extra=documented_body(WebhookCreate),
)
async def create_webhook(
    request: Request,
    response: Response,
    caller: CallerHere,
    rooms: RoomsHere,
    idempotency_key: IdempotencyKey = None,
) -> CreatedWebhook | Response:
    """Create a webhook, enabled, and send it a test; the secret is shown in this answer only."""
    rules = await rooms.webhooks.rules_of_create()
    body = await read_body(request, WebhookCreate, context=rules)
    async with rooms.idempotency.once(caller, idempotency_key, operation="createWebhook", body=body) as once:
        if once.answer is not None:
            return given_again(once.answer)
        webhook, view = await rooms.webhooks.create(caller, body, rules, keep=_keeper(once, 201))
    response.headers.update({**_headers(webhook), "Cache-Control": "no-store"})
    return view


@router.get(
    "",
    operation_id="listWebhooks",
    summary="List the webhooks of a workspace",
    responses=documented(400, 401, 403, 500, 503),
)
async def list_webhooks(
    caller: CallerHere,
    rooms: RoomsHere,
    page: PageNumber = 0,
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    sort: Annotated[Order, Query(description="A minus turns the order round.")] = Order.CREATED,
) -> Page[WebhookView]:
    """Return one page of the workspace's webhooks."""
    return await rooms.webhooks.page(caller, page=page, page_size=page_size, order=sort)


@router.get(
    "/{webhook_id}",
    operation_id="getWebhook",
    summary="Read a webhook",
    responses=documented(400, 401, 403, 404, 500, 503),
)
async def get_webhook(webhook_id: str, response: Response, caller: CallerHere, rooms: RoomsHere) -> WebhookDetails:
    """Return a webhook and its latest test."""
    webhook, view = await rooms.webhooks.one(caller, id_of(webhook_id, NotFound))
    last = await rooms.testing.last(webhook.id)
    response.headers["ETag"] = etag_of(webhook)
    return WebhookDetails(**view.model_dump(), last_test=None if last is None else view_of_test(last))


@router.put(
    "/{webhook_id}",
    operation_id="updateWebhook",
    summary="Change, enable or disable a webhook",
    responses=documented(400, 401, 403, 404, 409, 412, 413, 415, 500, 503),
    openapi_extra=documented_body(WebhookUpdate),
)
async def update_webhook(
    *,
    webhook_id: str,
    request: Request,
    response: Response,
    caller: CallerHere,
    rooms: RoomsHere,
    if_match: IfMatch = None,
) -> WebhookView:
    """Change a webhook; the next attempt of each of its deliveries follows the new values."""
    body = await read_body(request, WebhookUpdate, context=await rooms.webhooks.rules_of_update())
    webhook, view = await rooms.webhooks.update(caller, id_of(webhook_id, NotFound), body, if_match=if_match)
    response.headers["ETag"] = etag_of(webhook)
    return view


@router.delete(
    "/{webhook_id}",
    status_code=204,
    response_class=Response,
    operation_id="deleteWebhook",
    summary="Remove a webhook",
    responses=documented(400, 401, 403, 404, 409, 412, 500, 503),
)
async def delete_webhook(webhook_id: str, caller: CallerHere, rooms: RoomsHere, if_match: IfMatch = None) -> None:
    """Remove a webhook; what it has not delivered yet is discarded."""
    await rooms.webhooks.delete(caller, id_of(webhook_id, NotFound), if_match=if_match)


@router.get(
    "/{webhook_id}/test",
    operation_id="testWebhook",
    summary="Send a test to a webhook",
    responses={
        202: {"model": TestView, "description": "Not over yet; read the webhook later, it shows its last test."},
        **documented(400, 401, 403, 404, 409, 500, 503),
    },
    # It sends something, so reading rights are not enough, whatever the method suggests.
    openapi_extra=needs(Role.ADMINISTRATOR),
)
async def test_webhook(webhook_id: str, response: Response, caller: CallerHere, rooms: RoomsHere) -> TestView:
    """Send one test delivery and return what the receiver answered; it is never repeated and never disables."""
    test = view_of_test(await rooms.testing.run(caller, id_of(webhook_id, NotFound)))
    response.headers["Cache-Control"] = "no-store"
    if test.state == "pending":
        response.status_code = 202
    return test


@router.post(
    "/{webhook_id}/rotate-secret",
    response_model=WebhookView,
    operation_id="rotateWebhookSecret",
    summary="Give a webhook a new secret",
    responses=documented(400, 401, 403, 404, 409, 412, 413, 415, 500, 503),
    openapi_extra=documented_body(SecretRotation),
)
async def rotate_secret(
    *,
    webhook_id: str,
    request: Request,
    response: Response,
    caller: CallerHere,
    rooms: RoomsHere,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> WebhookView | Response:
    """Sign with a new secret, shown in this answer only; for a while the present one signs `webhook-signature` too."""
    webhook_uuid = id_of(webhook_id, NotFound)
    body = await read_body(request, SecretRotation)
    operation = f"rotateWebhookSecret {webhook_uuid}"
    async with rooms.idempotency.once(caller, idempotency_key, operation=operation, body=body) as once:
        if once.answer is not None:
            return given_again(once.answer)
        webhook, view = await rooms.rotating.rotate(
            caller, webhook_uuid, body, if_match=if_match, keep=_keeper(once, 200)
        )
    response.headers.update({"ETag": etag_of(webhook), "Cache-Control": "no-store"})
    return view


def _headers(webhook: Webhook) -> dict[str, str]:
    return {"ETag": etag_of(webhook), "Location": f"{router.prefix}/{webhook.id}"}


def _keeper(once: Once, status: int) -> Callable[[Webhook, WebhookView], KeptAnswer] | None:
    """Return what makes the answer to keep; nothing where the request has no idempotency key."""
    if not once.is_kept:
        return None
    return lambda webhook, view: once.keep(status, _headers(webhook), view)
