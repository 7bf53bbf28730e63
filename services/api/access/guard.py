"""The one dependency that stands before every route but sign-in: who calls, for which workspace, with which role.

The composition root hangs it on the router that all rooms join, so a new route is guarded without doing anything.
Reading takes a viewer, all else an administrator; a route that needs another role says so in its `openapi_extra`
with `needs(role)`, one that internal services may call too with `for_services_too()`; the OpenAPI document shows both.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.api.access.roles import Role
from services.api.access.service import Caller
from services.api.edge import wide_of
from services.api.refusals import Fault, InvalidInput, NoToken
from services.api.rooms import RoomsHere

ROLE_KEY = "x-coro-role"
SERVICES_KEY = "x-coro-services-too"

_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="From POST /oauth/token.")


def needs(role: Role) -> dict[str, Any]:
    """Return the `openapi_extra` of a route that takes another role than its method suggests."""
    return {ROLE_KEY: role.value}


def for_services_too() -> dict[str, Any]:
    """Return the `openapi_extra` of a route for people that internal services may call as well."""
    return {SERVICES_KEY: True}


async def guard(
    request: Request,
    rooms: RoomsHere,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    workspace: Annotated[
        str | None, Header(alias="Workspace", description="The workspace the request is about.")
    ] = None,
) -> Caller:
    """Return who calls, or refuse."""
    if bearer is None:
        raise NoToken
    extra = request.scope["route"].openapi_extra
    caller = await rooms.access.caller(
        token=bearer.credentials,
        workspace_id=workspace or "",
        needed=role_needed(extra, request.method),
        services_too=is_for_services_too(extra),
    )
    # Somebody before us may have read the other one.
    if len(request.headers.getlist("Workspace")) > 1:
        raise InvalidInput(Fault("Workspace", "must be there once, as a header"))
    wide = wide_of(request.scope)
    wide.client_id, wide.workspace = caller.client_id, caller.workspace_id
    return caller


CallerHere = Annotated[Caller, Depends(guard)]


def role_needed(extra: Mapping[str, Any] | None, method: str) -> Role:
    """Return the role that a route takes, from its `openapi_extra` and its method."""
    declared = (extra or {}).get(ROLE_KEY)
    if declared is not None:
        return Role(declared)
    return Role.VIEWER if method in {"GET", "HEAD"} else Role.ADMINISTRATOR


def is_for_services_too(extra: Mapping[str, Any] | None) -> bool:
    """Return whether internal services may call a route for people, from its `openapi_extra`."""
    return bool((extra or {}).get(SERVICES_KEY))
