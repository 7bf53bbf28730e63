"""Webhook versions: read by everybody, released by an internal service."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from services.api.access.guard import CallerHere, for_services_too, needs
from services.api.access.roles import Role
from services.api.bodies import documented_body, read_body
from services.api.paging import Page
from services.api.problems import documented
from services.api.rooms import RoomsHere
from services.api.versions.schemas import VersionRelease, VersionView

router = APIRouter(prefix="/v1/webhook-versions", tags=["versions"])

_Version = Annotated[int, Path(ge=1, le=9999, description="Its number.")]


@router.get(
    "",
    operation_id="listWebhookVersions",
    summary="List the webhook versions",
    responses=documented(400, 401, 403, 500, 503),
    openapi_extra=for_services_too(),
)
async def list_versions(caller: CallerHere, rooms: RoomsHere) -> Page[VersionView]:
    """Return every version, when it ends, and how many webhooks at and below this workspace still use it."""
    return await rooms.versions.page(caller)


@router.post(
    "/{version}/release",
    operation_id="releaseWebhookVersion",
    summary="Release a webhook version",
    responses=documented(400, 401, 403, 404, 409, 413, 415, 500, 503),
    openapi_extra=needs(Role.SERVICE) | documented_body(VersionRelease),
)
async def release_version(version: _Version, request: Request, caller: CallerHere, rooms: RoomsHere) -> VersionView:
    """Release a version, for all workspaces; the one before expires six calendar months later.

    Nothing takes that back. The same release may be asked for again and changes nothing.
    """
    return await rooms.versions.release(caller, version, await read_body(request, VersionRelease))
