"""Why an event did, or did not, reach a webhook: asked about a past event, or about one made up."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.api.access.guard import CallerHere, needs
from services.api.access.roles import Role
from services.api.bodies import documented_body, read_body
from services.api.explain.schemas import Explanation, MadeUpEvent
from services.api.ids import id_of
from services.api.problems import documented
from services.api.refusals import NotFound
from services.api.rooms import RoomsHere

router = APIRouter(prefix="/v1/settings/webhooks/{webhook_id}/explain", tags=["deliveries"])


@router.get(
    "",
    operation_id="explainEvent",
    summary="Explain why an event did, or did not, reach a webhook",
    responses=documented(400, 401, 403, 404, 500, 503),
)
async def explain_event(
    *,
    webhook_id: str,
    caller: CallerHere,
    rooms: RoomsHere,
    event_id: Annotated[
        str | None,
        Query(
            alias="eventId",
            description="Our id of the event.",
            openapi_examples={"event": {"value": "0f0a9f4e-55d7-5b5f-9c0e-6a1c3b5d7e42"}},
        ),
    ] = None,
    source: Annotated[str | None, Query(description="Who emitted it; together with `sourceId`.")] = None,
    source_id: Annotated[str | None, Query(alias="sourceId", description="What its source calls it.")] = None,
) -> Explanation:
    """Return each rule's verdict on an event of the workspace or of one below, and the delivery if there is one."""
    return await rooms.explain.past(
        caller, id_of(webhook_id, NotFound), event=event_id, source=source, source_id=source_id
    )


@router.post(
    "",
    operation_id="explainMadeUpEvent",
    summary="Explain whether an event would reach a webhook",
    responses=documented(400, 401, 403, 404, 413, 415, 500, 503),
    openapi_extra=documented_body(MadeUpEvent) | needs(Role.VIEWER),
)
async def explain_made_up_event(webhook_id: str, request: Request, caller: CallerHere, rooms: RoomsHere) -> Explanation:
    """Return the verdict of each rule on an event that did not happen; nothing is sent."""
    return await rooms.explain.made_up(caller, id_of(webhook_id, NotFound), await read_body(request, MadeUpEvent))
