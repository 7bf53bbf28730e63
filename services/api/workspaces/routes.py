"""The operations on workspaces."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.types import Receive, Scope, Send

from services.api.access.guard import CallerHere, for_services_too, needs
from services.api.access.roles import Role
from services.api.bodies import documented_body, read_body
from services.api.paging import DEFAULT_PAGE_SIZE, Page, PageNumber, PageSize
from services.api.problems import documented
from services.api.refusals import InvalidInput, NoSuchWorkspace, NotNdjson
from services.api.rooms import RoomsHere
from services.api.workspaces.ports import Wanted, WorkspaceOrder
from services.api.workspaces.schemas import (
    MAX_ID_CHARACTERS,
    MAX_NAME_CHARACTERS,
    Status,
    SyncProgress,
    Type,
    WorkspaceLine,
    WorkspaceMove,
    WorkspaceView,
    WorkspaceWrite,
    id_faults,
)

router = APIRouter(prefix="/v1/workspaces", tags=["workspaces"])

NDJSON = "application/x-ndjson"
_LINE = {
    "id": "exampletradecom_7K2P_b",
    "type": "child",
    "displayName": "Example Trade",
    "parentWorkspaceId": "examplemsp_4F8D_b",
    "status": "subscription",
}
_APPLIED = {"event": "applied", "created": 99_000, "moved": 12, "updated": 30, "unchanged": 958}
# Nothing on record holds a control character, and PostgreSQL refuses a NUL.
_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"


def _schema_of_progress() -> dict[str, Any]:
    """Return what OpenAPI tells about a line of the answer; the fault of a field is one of the shared schemas."""
    schema = SyncProgress.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs")
    return schema


@router.get(
    "",
    operation_id="listWorkspaces",
    summary="List and search workspaces",
    responses=documented(400, 401, 403, 500, 503),
    openapi_extra=for_services_too(),
)
async def list_workspaces(
    *,
    caller: CallerHere,
    rooms: RoomsHere,
    parent: Annotated[
        str | None,
        Query(max_length=MAX_ID_CHARACTERS, pattern=_PRINTABLE, description="Only those directly below this one."),
    ] = None,
    search: Annotated[
        str | None,
        Query(max_length=MAX_NAME_CHARACTERS, pattern=_PRINTABLE, description="What id or display name hold."),
    ] = None,
    kind: Annotated[Type | None, Query(alias="type", description="Only those of this type.")] = None,
    status: Annotated[Status | None, Query(description="Only those that have this status.")] = None,
    archived: Annotated[bool, Query(description="Show archived ones too.")] = False,
    page: PageNumber = 0,
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    sort: Annotated[WorkspaceOrder, Query(description="A minus turns the order round.")] = WorkspaceOrder.NAME,
) -> Page[WorkspaceView]:
    """Return one page of the workspaces at and below the one of the request."""
    wanted = Wanted(
        top=caller.workspace_id, parent_id=parent, search=search, type=kind, status=status, with_archived=archived
    )
    return await rooms.workspaces.page(wanted, page=page, page_size=page_size, order=sort)


@router.get(
    "/{workspace_id}",
    operation_id="getWorkspace",
    summary="Read a workspace",
    responses=documented(400, 401, 403, 404, 500, 503),
    openapi_extra=for_services_too(),
)
async def get_workspace(workspace_id: str, caller: CallerHere, rooms: RoomsHere) -> WorkspaceView:
    """Return a workspace at or below the one of the request."""
    return await rooms.workspaces.one(caller, _known(workspace_id))


@router.put(
    "/{workspace_id}",
    operation_id="putWorkspace",
    summary="Create or change a workspace",
    responses={
        201: {"model": WorkspaceView, "description": "It was not there before."},
        **documented(400, 401, 403, 413, 415, 500, 503),
    },
    openapi_extra=needs(Role.SERVICE) | documented_body(WorkspaceWrite),
)
async def put_workspace(
    workspace_id: str, request: Request, response: Response, caller: CallerHere, rooms: RoomsHere
) -> WorkspaceView:
    """Create a workspace, or make it what the body says; another parent moves it with all below it."""
    body = await read_body(request, WorkspaceWrite)
    if faults := id_faults(workspace_id):
        raise InvalidInput(*faults)
    view, is_new = await rooms.workspaces.put(caller, workspace_id, body)
    if is_new:
        response.status_code = 201
        response.headers["Location"] = request.url.path
    return view


@router.post(
    "/{workspace_id}/move",
    operation_id="moveWorkspace",
    summary="Move a workspace and all below it",
    responses=documented(400, 401, 403, 404, 413, 415, 500, 503),
    openapi_extra=needs(Role.SERVICE) | documented_body(WorkspaceMove),
)
async def move_workspace(workspace_id: str, request: Request, caller: CallerHere, rooms: RoomsHere) -> WorkspaceView:
    """Put a workspace under another; from the next event on, the webhooks above its new place hear of it."""
    body = await read_body(request, WorkspaceMove)
    return await rooms.workspaces.move(caller, _known(workspace_id), body.parent_workspace_id)


@router.put(
    "/{workspace_id}/archive",
    operation_id="archiveWorkspace",
    summary="Archive an inactive workspace",
    responses=documented(400, 401, 403, 404, 409, 500, 503),
    openapi_extra=needs(Role.SERVICE),
)
async def archive_workspace(workspace_id: str, caller: CallerHere, rooms: RoomsHere) -> WorkspaceView:
    """Archive a workspace: it cannot be worked in and leaves the list, and its webhooks are disabled.

    A status that is not inactive brings it back; its webhooks stay disabled until somebody enables them.
    """
    return await rooms.workspaces.archive(caller, _known(workspace_id))


@router.post(
    "/sync",
    operation_id="syncWorkspaces",
    summary="Create and change up to 200,000 workspaces at once",
    responses={
        200: {
            "description": "How it goes, one JSON object a line; the last one tells whether everything was applied.",
            "content": {NDJSON: {"schema": _schema_of_progress(), "example": _APPLIED}},
        },
        **documented(400, 401, 403, 409, 415, 500, 503),
    },
    response_class=Response,
    openapi_extra=needs(Role.SERVICE)
    | {
        "requestBody": {
            "required": True,
            "description": "One workspace a line, parents before or after their children; others stay as they are.",
            "content": {NDJSON: {"schema": WorkspaceLine.model_json_schema(), "example": _LINE}},
        }
    },
)
async def sync_workspaces(request: Request, caller: CallerHere, rooms: RoomsHere) -> Response:
    """Make many workspaces what the lines say, all of them or none."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != NDJSON:
        raise NotNdjson
    return _Lines(rooms.syncs.begin(caller, request.stream()))


class _Lines(Response):
    """Sends progress while the request is still being read.

    The framework's own streaming response listens for the end of the connection, and would take the body's parts.
    """

    media_type = NDJSON

    def __init__(self, progress: AsyncGenerator[SyncProgress, None]) -> None:
        super().__init__(headers={"Cache-Control": "no-store"})
        del self.headers["Content-Length"]
        self._progress = progress

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        # However it ends, the next sync may begin at once.
        async with aclosing(self._progress) as progress:
            async for one in progress:
                line = one.model_dump_json(exclude_none=True).encode() + b"\n"
                await send({"type": "http.response.body", "body": line, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _known(workspace_id: str) -> str:
    """Return the id of a workspace; what cannot be one names none."""
    if id_faults(workspace_id):
        raise NoSuchWorkspace
    return workspace_id
