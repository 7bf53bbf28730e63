"""The search of the activity log."""

import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import StreamingResponse

from services.api.access.guard import CallerHere
from services.api.activity.ports import Cursor, Search
from services.api.activity.rules import read_cursor, wants_csv
from services.api.activity.schemas import ActivityPage
from services.api.deliveries.rules import instant_of
from services.api.deliveries.schemas import MAX_MILLISECONDS
from services.api.paging import DEFAULT_PAGE_SIZE, PageSize
from services.api.problems import documented
from services.api.refusals import Fault, InvalidInput
from services.api.rooms import RoomsHere

router = APIRouter(prefix="/v1/audit-logs", tags=["activity"])

# No control characters: nothing on record holds one, and PostgreSQL refuses a NUL.
_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
_MAX_TEXT = 300

Text = Annotated[str | None, Query(max_length=_MAX_TEXT, pattern=_PRINTABLE)]
Milliseconds = Annotated[int | None, Query(ge=0, le=MAX_MILLISECONDS)]


def _search(
    caller: CallerHere,
    *,
    action: Annotated[Text, Query(description="Such as `webhook.created`.")] = None,
    actor: Annotated[Text, Query(description="Such as `credential:billing`.")] = None,
    subject: Annotated[Text, Query(description="The id of what it happened to.")] = None,
    webhook_id: Annotated[uuid.UUID | None, Query(alias="webhookId", description="What happened to a webhook.")] = None,
    workspace_id: Annotated[
        Text, Query(alias="workspaceId", description="The workspace of the request, or one below it.")
    ] = None,
    descendants: Annotated[bool, Query(description="Also what happened in the workspaces below it.")] = False,
    since: Annotated[Milliseconds, Query(description="From then on; UTC, in milliseconds.")] = None,
    until: Annotated[Milliseconds, Query(description="Before then; UTC, in milliseconds.")] = None,
) -> Search:
    return Search(
        workspace_id=workspace_id or caller.workspace_id,
        with_descendants=descendants,
        action=action,
        actor=actor,
        subject=subject,
        webhook_id=None if webhook_id is None else str(webhook_id),
        since=None if since is None else instant_of(since),
        until=None if until is None else instant_of(until),
    )


@router.get(
    "/search",
    response_model=ActivityPage,
    operation_id="searchActivityLog",
    summary="Search the activity log",
    responses={
        200: {
            "description": "One page as JSON, or all lines as CSV.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        },
        **documented(400, 401, 403, 500, 503),
    },
)
async def search_activity_log(
    *,
    caller: CallerHere,
    rooms: RoomsHere,
    search: Annotated[Search, Depends(_search)],
    cursor: Annotated[
        str | None, Query(max_length=100, description="The `nextCursor` of the page before; leave the rest as it was.")
    ] = None,
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    file_format: Annotated[
        Literal["json", "csv"] | None, Query(alias="format", description="`csv` gives all lines as a file.")
    ] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> ActivityPage | Response:
    """Return who did what, newest first; with `format=csv` or `Accept: text/csv` all of it as a file."""
    after = _cursor(cursor)
    if file_format == "csv" or (file_format is None and wants_csv(accept)):
        pieces = await rooms.activities.export(caller, search, after=after)
        name = {"Content-Disposition": 'attachment; filename="activity-log.csv"', "Cache-Control": "no-store"}
        return StreamingResponse(pieces, media_type="text/csv", headers=name)
    return await rooms.activities.page(caller, search, after=after, limit=page_size)


def _cursor(text: str | None) -> Cursor | None:
    if text is None:
        return None
    try:
        return read_cursor(text)
    except ValueError as error:
        raise InvalidInput(Fault("cursor", str(error))) from None
