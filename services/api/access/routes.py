"""Sign-in of clients."""

from fastapi import APIRouter, Request, Response

from services.api.access.schemas import TokenRequest, TokenResponse
from services.api.bodies import documented_body, read_body
from services.api.edge import wide_of
from services.api.problems import documented
from services.api.rooms import RoomsHere

router = APIRouter(tags=["access"])


@router.post(
    "/oauth/token",
    operation_id="createAccessToken",
    summary="Get an access token",
    responses=documented(400, 401, 413, 415, 500, 503),
    openapi_extra=documented_body(TokenRequest),
)
async def create_access_token(request: Request, response: Response, rooms: RoomsHere) -> TokenResponse:
    """Exchange a client id and its secret for a bearer token that is good for a day."""
    asked = await read_body(request, TokenRequest)
    token = await rooms.access.sign_in(
        client_id=asked.client_id,
        client_secret=asked.client_secret,
        audience=asked.audience,
        grant_type=asked.grant_type,
        address=request.client.host if request.client is not None else "",
    )
    wide_of(request.scope).client_id = asked.client_id
    # RFC 6749, section 5.1: no cache on the way may keep it.
    response.headers["Cache-Control"] = "no-store"
    return TokenResponse(access_token=token, expires_in=rooms.access.token_life_s)
