"""Histories of deliveries, single deliveries with their attempts, and figures."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from coro_events.contract.triggers import Trigger
from coro_events.rules.deliveries import DeliveryKind, DeliveryState
from services.api.access.guard import CallerHere
from services.api.deliveries.schemas import MAX_MILLISECONDS
from services.api.history.cursor import MAX_CURSOR_CHARACTERS
from services.api.history.ports import Filters, ResponseClass
from services.api.history.schemas import DeliveryDetail, History, StatisticsView
from services.api.history.service import span
from services.api.ids import id_of
from services.api.paging import DEFAULT_PAGE_SIZE, PageSize
from services.api.problems import documented
from services.api.refusals import NoSuchDelivery, NotFound
from services.api.rooms import RoomsHere

router = APIRouter(prefix="/v1", tags=["deliveries"])

_Moment = Annotated[int | None, Query(ge=0, le=MAX_MILLISECONDS, description="UTC, in milliseconds.")]
_Cursor = Annotated[
    str | None, Query(max_length=MAX_CURSOR_CHARACTERS, description="The `nextCursor` of the page before.")
]


def _filters(
    *,
    state: Annotated[list[DeliveryState] | None, Query(max_length=5, description="In one of these states.")] = None,
    type_: Annotated[list[Trigger] | None, Query(alias="type", max_length=11, description="Of these types.")] = None,
    kind: Annotated[DeliveryKind | None, Query(description="Of events, tests, or shadows of a draft.")] = None,
    since: _Moment = None,
    until: _Moment = None,
    workspace_id: Annotated[
        str | None, Query(alias="workspaceId", max_length=128, description="Where the event happened.")
    ] = None,
    response: Annotated[
        ResponseClass | None, Query(description="The class of the last answer; `none` where none came.")
    ] = None,
) -> Filters:
    since_at, until_at = span(since, until)
    return Filters(
        states=frozenset(state or ()),
        types=frozenset(trigger.value for trigger in type_ or ()),
        kind=kind,
        since=since_at,
        until=until_at,
        workspace_id=workspace_id,
        response=response,
    )


FiltersHere = Annotated[Filters, Depends(_filters)]


@router.get(
    "/deliveries",
    operation_id="listWorkspaceDeliveries",
    summary="List the deliveries of a workspace's webhooks",
    responses=documented(400, 401, 403, 500, 503),
)
async def list_workspace_deliveries(
    caller: CallerHere,
    rooms: RoomsHere,
    filters: FiltersHere,
    cursor: _Cursor = None,
    page_size: PageSize = DEFAULT_PAGE_SIZE,
) -> History:
    """Return one page of the deliveries of all webhooks of the workspace, newest first."""
    return await rooms.histories.of_workspace(caller, filters, cursor=cursor, size=page_size)


@router.get(
    "/settings/webhooks/{webhook_id}/deliveries",
    operation_id="listDeliveries",
    summary="List the deliveries of a webhook",
    responses=documented(400, 401, 403, 404, 500, 503),
)
async def list_deliveries(
    *,
    webhook_id: str,
    caller: CallerHere,
    rooms: RoomsHere,
    filters: FiltersHere,
    cursor: _Cursor = None,
    page_size: PageSize = DEFAULT_PAGE_SIZE,
) -> History:
    """Return one page of the webhook's deliveries, newest first."""
    webhook = id_of(webhook_id, NotFound)
    return await rooms.histories.of_webhook(caller, webhook, filters, cursor=cursor, size=page_size)


@router.get(
    "/settings/webhooks/{webhook_id}/deliveries/{hook_id}",
    operation_id="getDelivery",
    summary="Read one delivery with its attempts",
    responses=documented(400, 401, 403, 404, 500, 503),
)
async def get_delivery(webhook_id: str, hook_id: str, caller: CallerHere, rooms: RoomsHere) -> DeliveryDetail:
    """Return a delivery, what was sent and what was answered; secrets and the webhook's own values are masked."""
    return await rooms.histories.one(caller, id_of(webhook_id, NotFound), id_of(hook_id, NoSuchDelivery))


@router.get(
    "/settings/webhooks/{webhook_id}/statistics",
    operation_id="getStatistics",
    summary="Read how well a webhook does",
    responses=documented(400, 401, 403, 404, 500, 503),
)
async def get_statistics(
    webhook_id: str, caller: CallerHere, rooms: RoomsHere, since: _Moment = None
) -> StatisticsView:
    """Return success rate, duration and volume by the hour, since a time or over the last 24 hours."""
    return await rooms.histories.statistics(caller, id_of(webhook_id, NotFound), since)
